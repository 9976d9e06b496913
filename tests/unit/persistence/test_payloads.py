"""A payload is judged by its type's schema, and the refusal names the place and what was expected there."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from persistence.declared.job_types import JobType
from persistence.declared.payloads import check
from wire.errors import Refused

SCHEMA = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "minLength": 3},
        "depth": {"type": "integer", "maximum": 5},
        "links": {"type": "array", "items": {"type": "object", "properties": {"to": {"type": "string"}}}},
        "mode": {"enum": ["fast", "slow"]},
        "until": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]},
        "find": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Want"}]},
        "shape": {
            "oneOf": [
                {"properties": {"kind": {"const": "a"}, "m": {"type": "integer"}}, "required": ["m"]},
                {"properties": {"kind": {"const": "b"}, "n": {"type": "integer"}}},
            ]
        },
    },
    "required": ["url"],
    "additionalProperties": False,
    "$defs": {
        "Want": {
            "type": "object", "properties": {"take": {"enum": ["text", "html"]}}, "additionalProperties": False,
        }
    },
}  # fmt: skip


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
        ({}, "payload.url", "is missing"),
        ({"url": 7}, "payload.url", '7 is not of type "string"'),
        ({"url": "a"}, "payload.url", "shorter than 3 characters"),
        ({"url": "abc", "depth": 6}, "payload.depth", "greater than the maximum of 5"),
        ({"url": "abc", "depth": 10**30}, "payload.depth", "greater than the maximum of 5"),
        ({"url": "abc", "depth": 1.5}, "payload.depth", 'not of type "integer"'),
        ({"url": "abc", "depth": True}, "payload.depth", 'not of type "integer"'),
        ({"url": "abc", "links": [{}, {"to": 1}]}, "payload.links.1.to", 'not of type "string"'),
        ({"url": "abc", "mode": "medium"}, "payload.mode", "'medium' is not one of fast, slow"),
        ({"url": "abc", "what": "abc"}, "payload.what", "is not a field that is known there"),
        ({"url": "abc", "until": 0}, "payload.until", "0 is less than or equal to the minimum of 0"),
        ({"url": "abc", "until": "late"}, "payload.until", '"late" is not of type "number"'),
        ({"url": "abc", "find": {"take": "all"}}, "payload.find.take", "'all' is not one of text, html"),
        ({"url": "abc", "find": {"take": "text", "size": 1}}, "payload.find.size", "is not a field"),
        ({"url": "abc", "find": [1]}, "payload.find", '[1] is not of type "string" and [1] is not of type "object"'),
        ({"url": "abc", "shape": {"kind": "b", "n": "x"}}, "payload.shape.n", 'not of type "integer"'),
    ],
    ids=repr,
)
def test_a_refusal_names_the_place_and_what_was_expected(payload: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        check(payload, a_type(SCHEMA))

    assert field == refused.value.field
    assert words in refused.value.problem
    assert "see the schema of 'crawl'" in refused.value.remedy


def test_a_misspelt_field_is_guessed() -> None:
    with pytest.raises(Refused) as refused:
        check({"ulr": "abc", "url": "abc"}, a_type(SCHEMA))

    assert ("payload.ulr", "did you mean url?") == (refused.value.field, refused.value.remedy)


def test_a_large_value_does_not_fill_the_refusal() -> None:
    with pytest.raises(Refused) as refused:
        check({"url": ["x" * 100_000]}, a_type(SCHEMA))

    assert len(str(refused.value)) < 500
    assert 'is not of type "string"' in refused.value.problem


@pytest.mark.parametrize(
    "payload",
    [{"n": 10**30}, {"n": -(10**999)}, {"n": 1e308}, {"n": 10**400}, {"a": {"b": [None]}}],
    ids=lambda p: repr(p)[:40],
)
def test_any_object_takes_any_object(payload: dict[str, Any]) -> None:
    check(payload, a_type({"type": "object"}))


def test_a_pattern_cannot_be_made_to_take_for_ever() -> None:
    began = time.process_time()  # not the clock on the wall: others may be at work
    with pytest.raises(Refused):
        check({"n": "a" * 5_000 + "!"}, a_type({"properties": {"n": {"pattern": "^(a+)+$"}}}))

    assert time.process_time() - began < 1.0


def test_a_type_that_was_registered_anew_is_judged_by_its_new_schema() -> None:
    check({"url": "abc"}, a_type(SCHEMA))
    with pytest.raises(Refused):
        check({"url": "abc"}, a_type(SCHEMA | {"required": ["url", "depth"]}))


@pytest.mark.parametrize(
    ("value", "problem", "remedy"),
    [(True, "there is no key", "set one"), ("yes", 'not of type "boolean"', "see the schema of 'crawl'")],
)
def test_a_schema_may_say_itself_what_is_wrong_and_what_to_do(value: object, problem: str, remedy: str) -> None:
    said = {"type": "boolean", "const": False, "x-problem": "there is no key", "x-remedy": "set one"}
    with pytest.raises(Refused) as refused:
        check({"sealed": value}, a_type({"properties": {"sealed": {"$ref": "#/$defs/s"}}, "$defs": {"s": said}}))

    assert "payload.sealed" == refused.value.field
    assert problem in refused.value.problem
    assert remedy in refused.value.remedy
