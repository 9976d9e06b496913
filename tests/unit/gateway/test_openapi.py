"""The description says what the code does."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.entrance.problems import KINDS
from gateway.openapi.document import document
from gateway.openapi.submission import FIELDS
from persistence.declared.job_types import JobType
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


def test_what_jobs_return_is_described_where_their_type_says_it() -> None:
    described = document([_type("a.tree", TREE, result=TREE), _type("a.leaf", TREE)])
    OpenAPIV31SpecValidator(described).validate()
    schemas = described["components"]["schemas"]

    assert "#/components/schemas/result.a.tree/$defs/Node" == schemas["result.a.tree"]["properties"]["root"]["$ref"]
    assert "result.a.leaf" not in schemas


def test_each_type_is_shown_with_its_author_s_examples() -> None:
    described = document([_type("a.tree", TREE | {"examples": [{"root": {}}, {"root": {"child": {}}}]})])
    OpenAPIV31SpecValidator(described).validate()
    shown = described["paths"]["/api/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["examples"]

    assert {"type": "a.tree", "payload": {"root": {"child": {}}}} == shown["a.tree (2)"]["value"]
    assert "Looks." in shown["a.tree"]["summary"]


def test_a_job_s_result_is_described_by_its_type() -> None:
    described = document([_type("a.tree", TREE, result={"type": "integer"}), _type("a.leaf", TREE)])
    judge = jsonschema_rs.validator_for({**described["components"]["schemas"]["Job"], "required": [], **described})

    assert all(map(judge.is_valid, ({"type": "a.tree", "result": None}, {"type": "a.leaf", "result": "b"})))
    assert not judge.is_valid({"type": "a.tree", "result": "b"})


def test_all_references_lead_somewhere() -> None:
    described = document([_type("a.tree", TREE, result=TREE)])

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


def test_a_payload_is_judged_by_its_type() -> None:
    described = document([_type("a.tree", {"required": ["root"]}), _type("a.leaf", {"required": ["green"]})])
    judge = jsonschema_rs.validator_for({**described["components"]["schemas"]["Submission"], **described})

    assert judge.is_valid({"type": "a.leaf", "payload": {"green": True}})
    assert not judge.is_valid({"type": "a.tree", "payload": {"green": True}})


def test_every_kind_of_problem_is_described() -> None:
    responses = document([])["components"]["responses"]

    assert {f"Problem{kind.status}" for kind in KINDS.values()} == set(responses)


def _type(name: str, schema: dict[str, Any], result: dict[str, Any] | None = None) -> JobType:
    said = json.dumps(result) if result else None
    return JobType(name, "default", "Looks.\n\nAt it.", json.dumps(schema), 5, 3, 300.0, 2.0, 300.0, result_schema=said)


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [reference for item in node for reference in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [reference for value in node.values() for reference in _references(value)]
