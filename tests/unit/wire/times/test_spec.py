"""What a person says about when: read as meant, or refused with the field and the remedy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from wire.errors import Refused
from wire.times import zones
from wire.times.fires import next_due
from wire.times.spec import When, parse, said

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAILY = {"cron_expression": "@daily"}


def test_every_field_is_read() -> None:
    when = parse(
        {
            "cron_expression": ["0  9 * * 1", "@hourly", "@hourly"],
            "interval_seconds": None,
            "timezone": "Europe/Berlin",
            "starts_at": "2026-07-01T14:00",
            "ends_at": "2027-07-01T12:00:00Z",
            "exclude": ["2026-12-24", "* 0-5 * * *"],
            "jitter_seconds": 30,
            "spread_seconds": 600.5,
            "dst_gap": "skip",
            "dst_overlap": "both",
        }
    )

    assert when == When(
        cron=("0 9 * * 1", "@hourly"),
        timezone="Europe/Berlin",
        starts_at=NOON,
        ends_at=NOON.replace(year=2027),
        exclude=("2026-12-24", "* 0-5 * * *"),
        jitter_seconds=30.0,
        spread_seconds=600.5,
        dst_gap="skip",
        dst_overlap="both",
    )


@pytest.mark.parametrize(
    "when",
    [
        When(cron=("0 9 * * 1", "@daily"), timezone="Asia/Kathmandu", exclude=("2026-12-24",), dst_overlap="both"),
        When(cron=("@daily",), starts_at=NOON, ends_at=NOON.replace(year=2027), jitter_seconds=1.5),
        When(interval_seconds=90.0),
        When(once_at=NOON),
    ],
)
def test_what_was_said_is_parsed_to_the_same_and_survives_json(when: When) -> None:
    assert when == parse(said(when))
    assert when == msgspec.json.decode(msgspec.json.encode(when), type=When)


@pytest.mark.parametrize(
    "once_at",
    ["2026-07-01T12:00:00Z", "2026-07-01T14:00:00+02:00", "2026-07-01T14:00", 1782907200, 1782907200.0, NOON],
)
def test_a_single_time_is_iso_8601_local_or_not_or_seconds_since_1970(once_at: object) -> None:
    assert NOON == parse({"once_at": once_at, "timezone": "Europe/Berlin"}).once_at


@pytest.mark.parametrize(
    ("local", "policies", "utc"),
    [
        ("2026-03-29T02:30", {}, "2026-03-29T01:00:00"),
        ("2026-10-25T02:30", {}, "2026-10-25T00:30:00"),
        ("2026-10-25T02:30", {"dst_overlap": "both"}, "2026-10-25T00:30:00"),
        ("2026-10-25T02:30", {"dst_overlap": "second"}, "2026-10-25T01:30:00"),
    ],
)
def test_a_local_time_is_placed_by_the_policies(local: str, policies: dict[str, str], utc: str) -> None:
    when = parse({"once_at": local, "timezone": "Europe/Berlin", **policies})

    assert f"{utc}+00:00" == when.once_at.isoformat() if when.once_at else None


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({}, "cron_expression", "say when: one of cron_expression, interval_seconds, once_at"),
        ({**DAILY, "interval_seconds": 5}, "interval_seconds", "send one of them"),
        ({"interval_seconds": 5, "once_at": 1782907200}, "once_at", "send one of them"),
        ({"cron_expresion": "@daily"}, "cron_expresion", "did you mean cron_expression?"),
        ({"cron_expression": 5}, "cron_expression", "got a number"),
        ({"cron_expression": []}, "cron_expression", "1 to 16"),
        ({"cron_expression": ["@daily", 5]}, "cron_expression", "must be a string"),
        ({"interval_seconds": 0}, "interval_seconds", "use 1 to"),
        ({"interval_seconds": 0.999}, "interval_seconds", "use 1 to"),
        ({"interval_seconds": 1e12}, "interval_seconds", "out of range"),
        ({"interval_seconds": 10**400}, "interval_seconds", "not a number of seconds"),
        ({"interval_seconds": float("nan")}, "interval_seconds", "not a number of seconds"),
        ({"interval_seconds": True}, "interval_seconds", "not a number of seconds"),
        ({"interval_seconds": "60"}, "interval_seconds", "write a number"),
        ({"once_at": "tomorrow"}, "once_at", "write ISO 8601"),
        ({"once_at": "2026-07-01T12:00"}, "once_at", "or send timezone"),
        ({"once_at": 1782907200000}, "once_at", "not milliseconds"),
        ({"once_at": -5}, "once_at", "out of range"),
        ({"once_at": "9999-12-31T23:59:59-23:00"}, "once_at", "out of range"),
        ({"once_at": {}}, "once_at", "got an object"),
        (
            {"once_at": "2026-03-29T02:30", "timezone": "Europe/Berlin", "dst_gap": "skip"},
            "once_at",
            "does not exist in Europe/Berlin",
        ),
        ({**DAILY, "timezone": "Berlin"}, "timezone", "did you mean Europe/Berlin?"),
        ({**DAILY, "timezone": "Europe/Berln"}, "timezone", "did you mean Europe/Berlin"),
        ({**DAILY, "timezone": "europe/berlin"}, "timezone", "did you mean Europe/Berlin?"),
        ({**DAILY, "timezone": "new york"}, "timezone", "did you mean America/New_York?"),
        ({**DAILY, "timezone": "+02:00"}, "timezone", "name a place"),
        ({**DAILY, "timezone": "../../etc/passwd"}, "timezone", "is not a time zone"),
        ({**DAILY, "timezone": "x" * 1_000_000}, "timezone", "is not a time zone"),
        ({**DAILY, "starts_at": NOON, "ends_at": "2026-06-01T00:00:00Z"}, "ends_at", "before starts_at"),
        ({**DAILY, "starts_at": NOON, "ends_at": "2026-07-01T13:00:00Z"}, "ends_at", "before the first due time"),
        ({"once_at": NOON, "starts_at": "2026-07-01T13:00:00Z"}, "once_at", "is before starts_at"),
        ({"once_at": NOON, "exclude": "2026-07-01"}, "exclude", "leaves no due time"),
        ({**DAILY, "exclude": "2026-02-30"}, "exclude", "write one such as 2026-12-24"),
        ({**DAILY, "exclude": ["x"]}, "exclude", "has 1 field"),
        ({**DAILY, "exclude": [f"2026-12-24 {n}" for n in range(401)]}, "exclude", "at most 400"),
        ({**DAILY, "exclude": [f"{n} * * * *" for n in range(33)]}, "exclude", "more than 32 expressions"),
        ({**DAILY, "exclude": "* * * * *"}, "exclude", "leaves no due time"),
        ({"cron_expression": "*/2 * * * *", "exclude": "*/2 * * * *"}, "exclude", "leaves no due time"),
        ({**DAILY, "exclude": ["* * * 1-6 *", "* * * 7-12 *"]}, "exclude", "leaves no due time"),
        ({**DAILY, "jitter_seconds": -1}, "jitter_seconds", "use 0 to 86400"),
        ({**DAILY, "spread_seconds": 86401}, "spread_seconds", "use 0 to 86400"),
        ({"interval_seconds": 60, "jitter_seconds": 61}, "jitter_seconds", "more than the interval"),
        ({**DAILY, "dst_gap": "first"}, "dst_gap", "use shift, skip"),
        ({**DAILY, "dst_overlap": ["both"]}, "dst_overlap", "use first, second, both"),
    ],
    ids=str,
)
def test_what_is_not_clear_is_refused_by_name(fields: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(fields)

    assert field == refused.value.field
    assert says in str(refused.value)
    assert len(str(refused.value)) < 400


def test_every_zone_can_be_read_from_the_package() -> None:
    assert [] == [name for name in zones.names() if zones.zone(zones.check(name)).key != name]
    assert len(zones.names()) > 590


def test_a_spec_that_is_never_due_ends_at_once() -> None:
    """
    As a row might hold it, written before a check was there.
    """
    when = When(cron=("*/2 * * * *",), exclude=("*/2 * * * *",))

    assert next_due(when, NOON) is None
