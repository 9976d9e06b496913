"""Due times against an independent implementation: the same, in every zone, on both days on which clocks change."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim

from tests.unit.wire.times.second_opinion import ZONES, changes, expected, expression, hours, years
from wire.times import zones
from wire.times.cron import read
from wire.times.fires import dues
from wire.times.spec import When, parse

SEED = 20260101
MOST = 1_000_000
POLICIES = [(gap, overlap) for gap in ("shift", "skip") for overlap in ("first", "second", "both")]


@pytest.mark.parametrize("zone", ZONES)
def test_due_times_are_cronsims_under_every_policy(zone: str, long: bool) -> None:
    """
    Where a zone's clocks do not change nothing is to be explained; where they do, the rule of the policies says what
    a local time that is missing or that comes twice means, and nothing else may differ.
    """
    dice = random.Random(f"{SEED} {zone if not long else ''}")
    differing = []
    for text in [expression(dice) for _ in range(2_000 if long else 6)]:
        gap, overlap = dice.choice(POLICIES)
        when = parse({"cron_expression": text, "timezone": zone, "dst_gap": gap, "dst_overlap": overlap})
        windows = _windows(when, 16 if long else 4)
        differing += [(when, after) for after, until in windows if not _agree(when, after, until)]

    assert [] == differing


@pytest.mark.parametrize("zone", ZONES)
def test_by_default_what_names_its_times_is_due_as_under_debians_cron(zone: str, long: bool) -> None:
    """
    `shift` and `first` are Vixie's own rule, which cronsim follows for minutes and hours written without a star.
    """
    dice = random.Random(f"{SEED} {zone if not long else ''}")
    differing = []
    for text in [expression(dice, star_free=True) for _ in range(500 if long else 4)]:
        if len(hours(text)) == 24:
            continue
        when = parse({"cron_expression": text, "timezone": zone})
        for after, until in _windows(when, 16 if long else 4):
            ours, theirs = dues(when, after, until, MOST), _as_debian(text, zone, after, until)
            differing += [(text, after)] if ours != theirs else []

    assert [] == differing


def _agree(when: When, after: datetime, until: datetime) -> bool:
    return dues(when, after, until, MOST) == expected(when, after, until)


def _as_debian(text: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    found = []
    for due in CronSim(text, after.astimezone(zones.zone(zone))):
        if due.astimezone(UTC) > until:
            return found
        found.append(due.astimezone(UTC))
    return found


def _windows(when: When, most: int) -> list[tuple[datetime, datetime]]:
    """Around every change of the clocks and at the start of every year, as wide as about `most` due times are."""
    begin, end = years(when.timezone)
    width = min(max(_apart(when.cron[0]) * most, timedelta(hours=4)), end - begin)
    if width == end - begin:
        return [(begin, end)]
    starts = [begin + timedelta(days=365 * year) for year in range(3)]
    return [(start, start + width) for start in starts] + [
        (change - width / 2, change + width / 2) for change in changes(when.timezone)
    ]


def _apart(text: str) -> timedelta:
    """How far apart due times are, roughly."""
    cron = read(text)
    days = len(cron.months) / 12 * (len(cron.weekdays) / 7 if len(cron.days) == 31 else len(cron.days) / 31)
    return timedelta(days=1) / (len(cron.hours) * len(cron.minutes) * len(cron.seconds) * days)
