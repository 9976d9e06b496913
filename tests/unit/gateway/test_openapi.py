"""The description says what the code does."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.openapi import document
from gateway.problems import KINDS
from gateway.submission_schema import FIELDS
from persistence.job_types import JobType
from wire.fields import READERS

TREE = {
    "$defs": {"Node": {"type": "object", "properties": {"child": {"$ref": "#/$defs/Node"}}}},
    "properties": {"root": {"$ref": "#/$defs/Node"}, "$ref": {"type": "string"}},
}


def test_an_empty_house_has_a_valid_description() -> None:
    OpenAPIV31SpecValidator(document([])).validate()


def test_references_inside_a_payload_still_lead_somewhere() -> None:
    """
    Pydantic writes them from the schema's own root, which is not the document's.
    """
    described = document([_type("a.tree", TREE)])
    OpenAPIV31SpecValidator(described).validate()
    node = described["components"]["schemas"]["payload.a.tree"]["properties"]["root"]["$ref"]

    assert "#/components/schemas/payload.a.tree/$defs/Node" == node


def test_all_references_lead_somewhere() -> None:
    described = document([_type("a.tree", TREE)])

    for reference in _references(described):
        found = described
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_all_fields_of_the_envelope_are_described() -> None:
    assert set(READERS) == set(FIELDS)


def test_the_submission_s_schema_judges_as_the_envelope_does() -> None:
    schema = document([])["components"]["schemas"]["Submission"]
    judge = jsonschema_rs.validator_for(schema)

    assert judge.is_valid({"type": "echo", "payload": {}, "priority": "low", "x_mine": 1})
    for wrong in (
        {"priority": 0},
        {"priority": 11},
        {"max_retries": -1},
        {"timeout_seconds": 0},
        {"type": "A"},
        {"y": 1},
    ):
        assert not judge.is_valid({"type": "echo", "payload": {}, **wrong}), wrong


def test_every_kind_of_problem_is_described() -> None:
    responses = document([])["components"]["responses"]

    assert {f"Problem{kind.status}" for kind in KINDS.values()} == set(responses)


def _type(name: str, schema: dict[str, Any]) -> JobType:
    return JobType(name, "default", "", json.dumps(schema), 5, 3, 300.0, 2.0, 300.0)


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [reference for item in node for reference in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [reference for value in node.values() for reference in _references(value)]
