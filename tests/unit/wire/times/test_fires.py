"""When a schedule is due: by the clocks of its place, through every change of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from apscheduler.triggers.combining import OrTrigger

from wire.errors import Refused
from wire.times import zones
from wire.times.cron import read
from wire.times.fires import dues, next_due, offset
from wire.times.spec import When, parse
from wire.times.triggers import trigger

ID = UUID("01900000-0000-7000-8000-000000000001")


def local(fields: dict[str, Any], after: str, most: int) -> list[str]:
    """The next due times as the clocks of the schedule's place show them, with their offset from UTC."""
    when = parse(fields)
    place = zones.zone(when.timezone)
    since = datetime.fromisoformat(after).replace(tzinfo=UTC)
    found = dues(when, since, since + timedelta(days=36_600), most)
    return [due.astimezone(place).strftime("%m-%d %H:%M %z") for due in found]


@pytest.mark.parametrize(
    ("policy", "due"),
    [
        ("shift", ["03-28 02:30 +0100", "03-29 03:00 +0200", "03-30 02:30 +0200"]),
        ("skip", ["03-28 02:30 +0100", "03-30 02:30 +0200", "03-31 02:30 +0200"]),
    ],
)
def test_a_time_that_does_not_exist(policy: str, due: list[str]) -> None:
    fields = {"cron_expression": "30 2 * * *", "timezone": "Europe/Berlin", "dst_gap": policy}

    assert due == local(fields, "2026-03-28", 3)


@pytest.mark.parametrize(
    ("policy", "due"),
    [
        ("first", ["10-25 02:30 +0200", "10-26 02:30 +0100"]),
        ("second", ["10-25 02:30 +0100", "10-26 02:30 +0100"]),
        ("both", ["10-25 02:30 +0200", "10-25 02:30 +0100"]),
    ],
)
def test_a_time_that_comes_twice(policy: str, due: list[str]) -> None:
    fields = {"cron_expression": "30 2 * * *", "timezone": "Europe/Berlin", "dst_overlap": policy}

    assert due == local(fields, "2026-10-24T12:00", 2)


def test_times_that_meet_at_the_jump_are_one() -> None:
    fields = {"cron_expression": "*/15 2,3 * * *", "timezone": "Europe/Berlin"}

    assert ["03-29 03:00 +0200", "03-29 03:15 +0200"] == local(fields, "2026-03-29", 2)


@pytest.mark.parametrize("policies", [{}, {"dst_gap": "skip", "dst_overlap": "second"}])
@pytest.mark.parametrize("hours", ["*", "0-23", "*/1"])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_what_is_due_in_every_hour_goes_on_by_elapsed_time(day: str, hours: str, policies: dict[str, str]) -> None:
    """
    No hour of silence in autumn, no pile of shifted copies in spring.
    """
    when = parse({"cron_expression": f"*/15 {hours} * * *", "timezone": "Europe/Berlin", **policies})
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00")

    quarters = [midnight + timedelta(minutes=15 * n) for n in range(1, 25)]
    assert quarters == dues(when, midnight, quarters[-1], 100)


@pytest.mark.parametrize(
    ("fields", "after", "due"),
    [
        # half an hour back, half an hour on
        (
            {"cron_expression": "45 1 * * *", "timezone": "Australia/Lord_Howe", "dst_overlap": "both"},
            "2026-04-04T12:00",
            ["04-05 01:45 +1100", "04-05 01:45 +1030"],
        ),
        (
            {"cron_expression": "10 2 * * *", "timezone": "Australia/Lord_Howe"},
            "2026-10-03T12:00",
            ["10-04 02:30 +1100", "10-05 02:10 +1100"],
        ),
        (
            {"cron_expression": "*/20 * * * *", "timezone": "Australia/Lord_Howe"},
            "2026-10-03T15:00",
            ["10-04 01:40 +1030", "10-04 02:40 +1100", "10-04 03:00 +1100"],
        ),
        ({"cron_expression": "0 9 * * *", "timezone": "Asia/Kathmandu"}, "2026-01-01", ["01-01 09:00 +0545"]),
        # a midnight that does not exist
        (
            {"cron_expression": "0 0 * * *", "timezone": "America/Havana"},
            "2026-03-07T12:00",
            ["03-08 01:00 -0400", "03-09 00:00 -0400"],
        ),
        # a whole day that does not exist
        (
            {"cron_expression": "0 9 * * *", "timezone": "Pacific/Apia", "dst_gap": "skip"},
            "2011-12-29T00:00",
            ["12-29 09:00 -1000", "12-31 09:00 +1400"],
        ),
        (
            {"cron_expression": "0 9 30 12 *", "timezone": "Pacific/Apia"},
            "2011-12-29T00:00",
            ["12-31 00:00 +1400", "12-30 09:00 +1400"],
        ),
    ],
    ids=str,
)
def test_the_odd_zones(fields: dict[str, Any], after: str, due: list[str]) -> None:
    assert due == local(fields, after, len(due))


def test_monday_is_the_first_day_and_both_day_fields_are_joined_by_or() -> None:
    assert ["11-23 09:00 +0000"] == local({"cron_expression": "0 9 * * 1"}, "2026-11-21", 1)
    fields = {"cron_expression": "0 9 13 * 5"}
    assert ["03-06 09:00 +0000", "03-13 09:00 +0000", "03-20 09:00 +0000", "03-27 09:00 +0000"] == local(
        fields, "2026-03-01", 4
    )
    assert "04-13 09:00 +0000" in local(fields, "2026-04-11", 1)


def test_a_day_that_no_month_has_does_not_hide_the_weekday() -> None:
    assert ["02-01 00:00 +0000"] == local({"cron_expression": "0 0 30 2 1"}, "2027-01-01", 1)
    assert not isinstance(trigger([read("0 0 30 2 1")]), OrTrigger)  # it would look for that day until the year 9999


def test_several_expressions_are_one_schedule() -> None:
    fields = {"cron_expression": ["0 * * * *", "30 2 * * *"], "timezone": "Europe/Berlin"}

    assert ["03-29 01:00 +0100", "03-29 03:00 +0200", "03-29 04:00 +0200"] == local(fields, "2026-03-28T23:30", 3)


def test_the_rarest_day_is_found() -> None:
    when = parse({"cron_expression": "0 0 29 2 */7", "timezone": "Europe/Berlin"})

    assert datetime(2032, 2, 28, 23, tzinfo=UTC) == next_due(when, datetime(2026, 1, 1, tzinfo=UTC))
    assert datetime(2060, 2, 28, 23, tzinfo=UTC) == next_due(when, datetime(2033, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("exclude", "due"),
    [
        (["2026-12-24", "2026-12-25"], ["12-23 09:00 +0100", "12-26 09:00 +0100"]),
        (["* * 24-26 12 *"], ["12-23 09:00 +0100", "12-27 09:00 +0100"]),
        (["* 0-8 * * *"], ["12-23 09:00 +0100", "12-24 09:00 +0100"]),
        (["* * * * 1-5"], ["12-26 09:00 +0100", "12-27 09:00 +0100"]),
        (["* * * 12 *"], ["01-01 09:00 +0100", "01-02 09:00 +0100"]),
        (["* * * 1-11 *", "2026-12-23"], ["12-24 09:00 +0100", "12-25 09:00 +0100"]),
    ],
)
def test_what_is_left_out(exclude: list[str], due: list[str]) -> None:
    fields = {"cron_expression": "0 9 * * *", "timezone": "Europe/Berlin", "exclude": exclude}

    assert due == local(fields, "2026-12-23", 2)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Berlin", "America/Havana", "Pacific/Pago_Pago"])
def test_a_day_left_out_ends_at_its_own_midnight(zone: str) -> None:
    fields = {"cron_expression": "30 0,23 * * *", "timezone": zone, "exclude": ["2026-12-24", "* * 26 12 *"]}
    found = [due[:11] for due in local(fields, "2026-12-22", 9)]

    assert ["12-23 23:30", "12-25 00:30", "12-25 23:30", "12-27 00:30"] == found[found.index("12-23 23:30") :][:4]


def test_the_second_pass_is_seen_from_the_first_even_if_the_next_is_a_year_away() -> None:
    fields = {"cron_expression": "30 2 25 10 *", "timezone": "Europe/Berlin", "dst_overlap": "both"}

    assert ["10-25 02:30 +0100"] == local(fields, "2026-10-25T00:45", 1)


def test_an_exclusion_makes_a_second_monday() -> None:
    """
    As the refusal of `1#2` says.
    """
    fields = {"cron_expression": "0 9 8-14 * *", "exclude": ["* * * * 0,2-6"]}

    assert ["01-12 09:00 +0000", "02-09 09:00 +0000", "03-09 09:00 +0000"] == local(fields, "2026-01-01", 3)


def test_a_short_interval_leaves_out_a_month_in_a_few_steps() -> None:
    when = parse({"interval_seconds": 1, "exclude": ["* * * 1-6 *", "30-59 * * * * *"]})

    assert datetime(2026, 7, 1, tzinfo=UTC) == next_due(when, datetime(2026, 1, 1, tzinfo=UTC))
    assert datetime(2026, 7, 1, 0, 1, tzinfo=UTC) == next_due(when, datetime(2026, 7, 1, 0, 0, 29, tzinfo=UTC))


def test_what_two_expressions_leave_out_between_them_ends_no_schedule() -> None:
    """
    A weekend has 2,880 minutes.
    """
    fields = {"cron_expression": "* * * * *", "exclude": ["0-29 * * * sat,sun", "30-59 * * * sat,sun"]}

    assert ["01-02 23:59 +0000", "01-05 00:00 +0000"] == local(fields, "2026-01-02T23:58:30", 2)


def test_a_rare_day_that_is_left_out_is_not_looked_for_until_the_calendar_ends() -> None:
    """
    It took five seconds of whoever asked.
    """
    began = time.process_time()
    with pytest.raises(Refused, match="leaves no due time"):
        parse({"cron_expression": "0 0 29 2 *", "exclude": ["0 0 29 2 *"]})

    assert time.process_time() - began < 2


def test_an_interval_counts_from_its_anchor() -> None:
    anchor = datetime(2026, 1, 1, 0, 0, 7, 123456, tzinfo=UTC)
    when = When(interval_seconds=1.1, anchor=anchor)

    assert anchor == next_due(when, datetime(2025, 1, 1, tzinfo=UTC))
    assert anchor + timedelta(microseconds=1_100_000) == next_due(when, anchor)
    assert anchor + timedelta(microseconds=1_100_000 * 10**9) == next_due(
        when, anchor + timedelta(microseconds=1_100_000 * 10**9 - 1)
    )


def test_start_and_end_are_due_themselves() -> None:
    fields = {"interval_seconds": 60, "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-01T00:02:00Z"}

    assert ["01-01 00:00 +0000", "01-01 00:01 +0000", "01-01 00:02 +0000"] == local(fields, "2025-01-01", 9)


def test_a_single_time_is_due_once() -> None:
    when = parse({"once_at": "2026-01-01T00:00:00Z"})
    at = datetime(2026, 1, 1, tzinfo=UTC)

    assert at == next_due(when, at - timedelta(microseconds=1))
    assert next_due(when, at) is None


def test_a_delay_is_the_same_whoever_asks() -> None:
    """
    Another process, another version: a change of this number would move what people have seen in a preview.
    """
    when = When(cron=("@daily",), spread_seconds=600, jitter_seconds=30)
    due = datetime(2026, 1, 1, tzinfo=UTC)

    assert timedelta(0) == offset(When(cron=("@daily",)), ID, due)
    assert timedelta(seconds=213.955774) == offset(When(cron=("@daily",), spread_seconds=600), ID, due)
    assert timedelta(seconds=213.955774 + 8.939857) == offset(when, ID, due)
    assert offset(when, ID, due) != offset(when, ID, due + timedelta(days=1))
