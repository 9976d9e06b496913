"""A body in other words is put into ours, value by value as it stands; one in our own is not touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest

from gateway.dialects.bodies import of_a_job, of_a_schedule
from gateway.dialects.names import elsewhere
from gateway.openapi.dialects import body, schedule_body
from gateway.openapi.document import document
from gateway.schedules import request
from wire import envelope
from wire.errors import Refused
from wire.strict_json import encode

SCHEDULES = {
    name: example["value"] for name, example in schedule_body()["content"]["application/json"]["examples"].items()
}
EXAMPLES = {name: example["value"] for name, example in body()["content"]["application/json"]["examples"].items()}


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PAST, AHEAD = NOW.timestamp() - 60, NOW.timestamp() + 60


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not JSON",
        b'{"type": "echo", "payload": {}}',
        b'["job_type"]',
        b'{"type": "a",  "payload": {"job_type": 1,  "timeout": 1.0, "articles": [], "cron_expression": 1}}',
    ],
)
def test_a_job_in_our_own_words_is_not_touched(text: bytes) -> None:
    """
    A list is the envelope's to refuse, and a name of theirs inside of a payload is no dialect.
    """
    said = of_a_job(text, NOW)

    assert text is said.body
    assert ({}, False) == (said.words, said.schedule)


@pytest.mark.parametrize(
    "text",
    [b"not JSON", b"[]", b'{"name": "n", "job_type": "a", "cron_expression": "* * * * *", "payload": {"type": 1}}'],
)
def test_a_schedule_in_our_own_words_is_not_touched(text: bytes) -> None:
    said = of_a_schedule(text, NOW) if text.startswith((b"{", b"[")) else of_a_job(text, NOW)

    assert (text, {}) == (said.body, said.words)


def test_values_stay_as_they_are_written() -> None:
    text = '{"job_data": {"b": 1.50,"a":10000000000000000000000,"é":"\\u00e9"}, "job_type":"a","x_":1e2}'.encode()
    ours = '{"payload":{"b": 1.50,"a":10000000000000000000000,"é":"\\u00e9"},"type":"a","x_":1e2}'.encode()
    said = of_a_job(text, NOW)

    assert (ours, {"payload": "job_data", "type": "job_type"}) == (said.body, said.words)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"job_type": "a", "cron_expression": "@daily", "job_data": {}},
         {"job_type": "a", "cron_expression": "@daily", "payload": {}}),
        ({"type": "a", "interval_seconds": 60, "timeout": 5},
         {"job_type": "a", "interval_seconds": 60, "timeout_seconds": 5}),
        ({"name": "crawl", "frequency": "once", "next_run_time": AHEAD},
         {"name": "crawl", "job_type": "crawl", "once_at": AHEAD}),
        ({"name": "crawl", "frequency": "once", "next_run_time": PAST},
         {"name": "crawl", "job_type": "crawl", "once_at": NOW.timestamp() + 1}),
        ({"job_type": "a", "frequency": "once", "next_run_time": "2026-11-21T13:00:00Z"},
         {"job_type": "a", "once_at": "2026-11-21T13:00:00Z"}),
        ({"name": "n", "job_type": "a", "frequency": "cron", "cron": "@daily", "next_run_time": AHEAD},
         {"name": "n", "job_type": "a", "cron_expression": "@daily", "starts_at": AHEAD}),
        ({"job_type": "a", "frequency": "interval", "interval_seconds": 5},
         {"job_type": "a", "interval_seconds": 5}),
        ({"job_type": "a", "next_run_time": AHEAD}, {"job_type": "a", "once_at": AHEAD}),
    ],
)  # fmt: skip
def test_a_schedule_in_their_words(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    said = of_a_job(encode(theirs).encode(), NOW)

    assert said.schedule
    assert ours == json.loads(said.body)
    assert ours == json.loads(of_a_schedule(encode(theirs).encode(), NOW).body)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("frequency", {"frequency": "hourly"}),
        ("frequency", {"frequency": 1}),
        ("frequency", {"frequency": "once"}),
        ("frequency", {"frequency": "cron", "next_run_time": AHEAD}),
        ("cron_expression", {"frequency": "once", "next_run_time": AHEAD, "cron_expression": "@daily"}),
        ("interval_seconds", {"frequency": "cron", "cron_expression": "@daily", "interval_seconds": 5}),
        ("next_run_time", {"cron_expression": "@daily", "next_run_time": AHEAD}),
        ("job_data", {"interval_seconds": 5, "job_data": {}, "payload": {}}),
        ("cron", {"frequency": "cron", "cron": "@daily", "cron_expression": "@daily"}),
    ],
)  # fmt: skip
def test_words_that_do_not_agree_are_refused_by_name(field: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        of_a_job(encode({"name": "n", "job_type": "a", **fields}).encode(), NOW)

    assert field == refused.value.field


@pytest.mark.parametrize(
    ("body", "crawl"),
    [
        ({"articles": []}, True),
        ({"articles": [{"url": "https://example.org/"}], "max_age": 0}, True),
        ({"type": "a", "payload": {"articles": []}}, False),
        ({"type": "articles", "payload": {}}, False),
    ],
)
def test_a_submission_with_articles_asks_for_a_crawl(body: dict[str, Any], crawl: bool) -> None:
    said = of_a_job(encode(body).encode(), NOW)

    assert (crawl, encode(body).encode(), False) == (said.crawl, said.body, said.schedule)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_the_examples_of_the_description_are_valid_and_taken(example: dict[str, Any]) -> None:
    judge = jsonschema_rs.validator_for(body()["content"]["application/json"]["schema"])
    taken = envelope.parse(of_a_job(encode(example).encode(), NOW).body, now=datetime.now(UTC))

    assert judge.is_valid(example)
    assert ("echo", {"message": "hi"}) == (taken.type, taken.payload)


@pytest.mark.parametrize("example", SCHEDULES.values(), ids=SCHEDULES)
def test_the_examples_of_a_schedule_are_valid_and_taken(example: dict[str, Any]) -> None:
    judge = jsonschema_rs.validator_for(schedule_body()["content"]["application/json"]["schema"])
    asked = request.read(of_a_schedule(encode(example).encode(), NOW).body)

    assert judge.is_valid(example)
    assert ("echo", {"message": "hi"}) == (asked.plan.job_type, json.loads(asked.plan.payload))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("POST /api/v1/jobs", ["POST /jobs", "POST /api/v1/jobs/submit", "POST /jobs/submit"]),
        ("GET /api/v1/jobs", ["GET /jobs"]),
        ("GET /api/v1/jobs/{id}", ["GET /jobs/{id}"]),
        ("GET /api/v1/jobs/{id}/attempts",
         ["GET /jobs/{id}/attempts", "GET /jobs/{id}/executions", "GET /api/v1/jobs/{id}/executions"]),
        ("GET /api/v1/stats", ["GET /stats"]),
        ("POST /api/v1/schedules", ["POST /api/v1/scheduled-jobs", "POST /scheduled-jobs"]),
        ("PATCH /api/v1/schedules/{id}",
         ["PATCH /api/v1/scheduled-jobs/{id}", "PATCH /scheduled-jobs/{id}", "PUT /api/v1/jobs/{id}",
          "PUT /jobs/{id}"]),
        ("POST /api/v1/schedules/{id}/pause",
         ["POST /api/v1/scheduled-jobs/{id}/pause", "POST /scheduled-jobs/{id}/pause", "POST /api/v1/jobs/{id}/pause",
          "POST /jobs/{id}/pause"]),
        ("GET /api/v1/job-types", []),
        ("GET /api/v1/dead-letters/{id}", []),
        ("GET /health", []),
    ],
)  # fmt: skip
def test_where_else_a_route_is_found(ours: str, theirs: list[str]) -> None:
    method, _, path = ours.partition(" ")

    assert theirs == [f"{method} {path}" for method, path in elsewhere(method, path)]


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for path in document([])["paths"].values() for operation in path.values()]

    assert len(set(names)) == len(names)
