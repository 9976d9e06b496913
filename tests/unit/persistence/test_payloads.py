"""A payload is judged by its type's schema, and the refusal names the place and what was expected there."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from persistence.job_types import JobType
from persistence.payloads import check
from wire.errors import Refused

SCHEMA = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "minLength": 3},
        "depth": {"type": "integer", "maximum": 5},
        "links": {"type": "array", "items": {"type": "object", "properties": {"to": {"type": "string"}}}},
        "mode": {"enum": ["fast", "slow"]},
    },
    "required": ["url"],
    "additionalProperties": False,
}


def a_type(schema: object) -> JobType:
    return JobType("crawl", "default", "", json.dumps(schema), 5, 3, 60.0, 2.0, 300.0)


@pytest.mark.parametrize(
    "payload",
    [{"url": "abc"}, {"url": "é\U0001f600x", "depth": 5, "links": [{"to": "b"}, {}], "mode": "fast"}],
    ids=repr,
)
def test_a_payload_that_fits_is_taken(payload: dict[str, Any]) -> None:
    check(payload, a_type(SCHEMA))


@pytest.mark.parametrize(
    ("payload", "field", "words"),
    [
        ({}, "payload", '"url" is a required property'),
        ({"url": 7}, "payload.url", '7 is not of type "string"'),
        ({"url": "a"}, "payload.url", "shorter than 3 characters"),
        ({"url": "abc", "depth": 6}, "payload.depth", "greater than the maximum of 5"),
        ({"url": "abc", "depth": 10**30}, "payload.depth", "greater than the maximum of 5"),
        ({"url": "abc", "depth": 1.5}, "payload.depth", 'not of type "integer"'),
        ({"url": "abc", "depth": True}, "payload.depth", 'not of type "integer"'),
        ({"url": "abc", "links": [{}, {"to": 1}]}, "payload.links.1.to", 'not of type "string"'),
        ({"url": "abc", "mode": "medium"}, "payload.mode", "is not one of"),
        ({"url": "abc", "ulr": "abc"}, "payload", "'ulr' was unexpected"),
    ],
    ids=repr,
)
def test_a_refusal_names_the_place_and_what_was_expected(payload: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        check(payload, a_type(SCHEMA))

    assert field == refused.value.field
    assert words in refused.value.problem
    assert "see the schema of 'crawl'" in refused.value.remedy


def test_a_large_value_does_not_fill_the_refusal() -> None:
    with pytest.raises(Refused) as refused:
        check({"url": ["x" * 100_000]}, a_type(SCHEMA))

    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "payload",
    [{"n": 10**30}, {"n": -(10**999)}, {"n": 1e308}, {"n": 10**400}, {"a": {"b": [None]}}],
    ids=lambda p: repr(p)[:40],
)
def test_any_object_takes_any_object(payload: dict[str, Any]) -> None:
    check(payload, a_type({"type": "object"}))


def test_a_pattern_cannot_be_made_to_take_for_ever() -> None:
    began = time.perf_counter()
    with pytest.raises(Refused):
        check({"n": "a" * 5_000 + "!"}, a_type({"properties": {"n": {"pattern": "^(a+)+$"}}}))

    assert time.perf_counter() - began < 1.0


def test_a_type_that_was_registered_anew_is_judged_by_its_new_schema() -> None:
    check({"url": "abc"}, a_type(SCHEMA))
    with pytest.raises(Refused):
        check({"url": "abc"}, a_type(SCHEMA | {"required": ["url", "depth"]}))
