"""What a body must hold to be a schedule, and what an edit leaves of the one that stood before."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest

from gateway.openapi.schedules import BODIES, FIELDS
from gateway.schedules import request
from gateway.schedules.fields import ALL
from gateway.schedules.orders import backfill, many, triggered_at
from persistence.schedules.schedule import NEVER, Plan, Schedule, Standing
from wire.errors import Refused

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAILY = {"name": "n", "job_type": "echo", "cron_expression": "@daily"}
EXAMPLES = [
    (name, example["value"])
    for name in ("schedule", "edited schedule", "previewed schedule", "many schedules", "backfill")
    for example in BODIES[name]["content"]["application/json"].get("examples", {}).values()
]


def body(**fields: Any) -> bytes:
    return json.dumps({**DAILY, **fields}).encode()


def made(**fields: Any) -> Schedule:
    return Schedule(UUID(int=1), request.read(body(**fields)).plan, Standing.ACTIVE, 7, NEVER, 1, NOW, NOW)


def test_every_field_is_described() -> None:
    assert set(ALL) == set(FIELDS)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_the_examples_are_valid(name: str, example: dict[str, Any]) -> None:
    assert jsonschema_rs.validator_for(BODIES[name]["content"]["application/json"]["schema"]).is_valid(example)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("body", b""), ("body", b"[]"), ("body", b'"cron"'), ("body", b'{"name": "a", "name": "b"}'),
        ("nme", b'{"nme": "a"}'), ("name", b'{"job_type": "echo", "cron_expression": "@daily"}'),
        ("job_type", b'{"name": "n", "cron_expression": "@daily"}'),
        ("cron_expression", b'{"name": "n", "job_type": "echo"}'),
        ("payload", b'{"name": "n", "job_type": "echo", "cron_expression": "@daily", "payload": "[]"}'),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_by_name(field: str, text: bytes) -> None:
    with pytest.raises(Refused) as refused:
        request.read(text)

    assert field == refused.value.field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", "x" * 2_001), ("name", "a\nb"), ("name", 7), ("job_type", "a.job.b"), ("job_type", ["a"]),
        ("tags", "a"), ("tags", [""]), ("max_retries", -1), ("timeout_seconds", 0), ("max_runs", 1.5),
        ("max_runs", True), ("catch_up", "some"), ("overlap", None.__class__.__name__), ("overlap", ["skip"]),
        ("catch_up_window_seconds", 0), ("catch_up_window_seconds", True), ("pause_after_failures", 1_001),
        ("exclude", ["soon"]), ("jitter_seconds", -1), ("spread_seconds", 86_401), ("timezone", 7),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(Refused) as refused:
        request.read(body(**{field: value}))

    assert field == refused.value.field
    assert refused.value.problem


def test_null_is_the_same_as_nothing() -> None:
    nulls = dict.fromkeys(set(ALL) - set(DAILY))

    assert request.read(body()) == request.read(body(**nulls))


@pytest.mark.parametrize("payload", ['{"a": 1.50, "b": 10000000000000000000000}', '"{\\"a\\": 1}"'])
def test_a_payload_is_kept_as_it_was_sent(payload: str) -> None:
    text = f'{{"name": "n", "job_type": "echo", "payload": {payload}, "interval_seconds": 5}}'.encode()
    kept = request.read(text).plan.payload

    assert kept == (payload.encode() if payload.startswith("{") else b'{"a": 1}')


def test_an_empty_edit_changes_nothing() -> None:
    before = made(timezone="Europe/Berlin", starts_at="2030-01-01T00:00:00", payload={"a": 1}, tags=["a"], max_runs=3,
                  overlap="allow", exclude=["2030-12-24"], dst_gap="skip", priority="high")  # fmt: skip

    assert before.plan == request.edited(before, b"{}").plan


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        ({"name": "m"}, {"name": "m"}),
        ({"payload": {"b": 2}}, {"payload": b'{"b": 2}'}),
        ({"payload": None}, {"payload": b"{}"}),
        ({"max_runs": None, "overlap": None}, {"max_runs": None, "overlap": "skip"}),
        ({"tags": []}, {"tags": ()}),
    ],
)
def test_an_edit_changes_what_it_says(edit: dict[str, Any], changes: dict[str, Any]) -> None:
    before = made(payload={"a": 1}, tags=["a"], max_runs=3, overlap="allow")

    assert replace(before.plan, **changes) == request.edited(before, json.dumps(edit).encode()).plan


@pytest.mark.parametrize(
    "edit", [{"interval_seconds": 60}, {"once_at": 4_070_908_800}, {"cron_expression": ["@hourly"]}]
)
def test_the_when_that_is_sent_stands_for_the_others(edit: dict[str, Any]) -> None:
    when = request.edited(made(), json.dumps(edit).encode()).when

    assert 1 == sum(bool(one) for one in (when.cron, when.interval_seconds, when.once_at))
    assert {"@daily", "0 0 * * *"}.isdisjoint(when.cron)


def test_a_plan_that_nobody_can_read_is_no_when() -> None:
    assert request.readable_when(Plan("n", "a", b"{}", "{")) is None


@pytest.mark.parametrize(
    ("field", "text"), [("tags", b'{"tags": "a"}'), ("body", b"[]"), ("tag", b'{"tag": 1}'), ("by", b'{"by": 7}')]
)
def test_a_filter_with_a_typo_pauses_nothing(field: str, text: bytes) -> None:
    with pytest.raises(Refused) as refused:
        many(text, "local")

    assert field == refused.value.field


def test_a_filter_is_not_the_note() -> None:
    asked = many(b'{"tag": "mail", "job_type": "echo", "note": "moving"}', "local")

    assert ("mail", "echo", None) == (asked.which.tag, asked.which.job_type, asked.which.name)
    assert ("local", "moving") == (asked.said.by, asked.said.note)


def test_a_backfill_has_two_ends_in_the_past() -> None:
    asked = backfill(b'{"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "dry_run": true}', NOW)

    assert (1, 2, True) == (asked.since.day, asked.until.day, asked.dry_run)
    for wrong in (b"{}", b'{"since": "2026-01-01T00:00:00Z"}', b'{"since": 1, "until": 2}'):
        with pytest.raises(Refused):
            backfill(wrong, NOW)


def test_a_trigger_is_about_now() -> None:
    assert triggered_at(b"", NOW) is triggered_at(b"{}", NOW) is None
    assert triggered_at(b'{"at": "2026-11-21T12:00:01Z"}', NOW) == NOW.replace(second=1)
    for wrong in (b'{"at": "2026-11-21T13:00:00Z"}', b'{"at": 1}', b'{"when": 1}'):
        with pytest.raises(Refused):
            triggered_at(wrong, NOW)
