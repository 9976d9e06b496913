"""What holds for every schedule, whatever it says: Hypothesis looks for one that breaks a law."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.wire.times.second_opinion import ZONES, changes, expression
from wire.errors import Refused
from wire.times import fields as readers
from wire.times.fires import dues, next_due, offset
from wire.times.spec import FIELDS, When, parse, said
from wire.times.words import sentence, warnings

Read = TypeVar("Read")
LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
CHANGES = sorted(change for zone in ZONES for change in changes(zone))

texts = st.integers(0, 10**9).map(lambda seed: expression(random.Random(seed)))
near_a_change = st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds),
    st.sampled_from(CHANGES),
    st.floats(-100_000, 100_000),
)
instants = near_a_change | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
how = st.fixed_dictionaries(
    {"timezone": st.sampled_from(ZONES)},
    optional={
        "dst_gap": st.sampled_from(["shift", "skip"]),
        "dst_overlap": st.sampled_from(["first", "second", "both"]),
        "starts_at": instants,
        "exclude": st.lists(st.dates(date(2025, 1, 1), date(2027, 12, 31)).map(str) | texts, max_size=3),
        "jitter_seconds": st.floats(0, 1),
        "spread_seconds": st.floats(0, 86_400),
    },
)
what = (
    st.builds(lambda text: {"cron_expression": text}, st.lists(texts, min_size=1, max_size=3))
    | st.builds(lambda seconds: {"interval_seconds": seconds}, st.floats(1, 1e6))
    | st.builds(lambda instant: {"once_at": instant}, instants)
)


def _when(what: dict[str, Any], how: dict[str, Any]) -> When:
    when = _read_or_refused(lambda: parse({**how, **what}))
    return parse({**how, **what, "exclude": None, "starts_at": None}) if isinstance(when, Refused) else when


def _read_or_refused(read: Callable[[], Read]) -> Read | Refused:
    try:
        return read()
    except Refused as refused:
        return refused


whens = st.builds(_when, what, how)


@LAWS
@given(whens, instants)
def test_the_next_due_time_is_later_and_nothing_is_due_before_it(when: When, after: datetime) -> None:
    due = next_due(when, after)

    assert due is None or (due > after and (when.starts_at is None or due >= when.starts_at))
    if due is not None:
        between = after + (due - after) / 3
        assert due == next_due(when, between)
        assert due == next_due(when, due - timedelta(microseconds=1))


@pytest.mark.parametrize("after", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@LAWS
@given(when=whens)
def test_the_ends_of_the_calendar_do_no_harm(when: When, after: datetime) -> None:
    due = next_due(when, after)

    assert (due is None) == (after.year > 9000)


@LAWS
@given(whens, instants, st.integers(1, 20))
def test_many_due_times_are_one_after_the_other(when: When, after: datetime, most: int) -> None:
    until = after + timedelta(days=400)
    found = dues(when, after, until, most)

    assert len(found) <= most
    assert all(early < late for early, late in pairwise([after, *found]))
    assert all(late == next_due(when, early) for early, late in pairwise([after, *found]))
    assert all(due <= until for due in found)
    if found:
        ending = parse({**said(when), "ends_at": found[-1]}) if when.anchor is None else when
        assert found == dues(ending, after, until, most)


@LAWS
@given(whens, st.uuids(), instants)
def test_a_delay_stays_inside_its_windows(when: When, schedule: UUID, due: datetime) -> None:
    delay = offset(when, schedule, due)
    spread = offset(When(spread_seconds=when.spread_seconds), schedule, due)

    assert timedelta(0) <= delay <= timedelta(seconds=when.spread_seconds + when.jitter_seconds)
    assert delay == offset(when, schedule, due)
    assert spread == offset(When(spread_seconds=when.spread_seconds), schedule, due + timedelta(days=1))


@LAWS
@given(whens, instants)
def test_every_schedule_has_words_and_is_parsed_again_to_the_same(when: When, after: datetime) -> None:
    assert sentence(when)
    assert all(warnings(when, dues(when, after, after + timedelta(days=30), 5)))
    assert when == parse(said(when))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@settings(LAWS, max_examples=80)
@given(st.dictionaries(st.sampled_from(FIELDS), anything, min_size=1, max_size=4))
def test_whatever_is_sent_is_read_or_refused(fields: dict[str, Any]) -> None:
    read = _read_or_refused(lambda: parse(fields))

    assert isinstance(read, When) or (read.field in FIELDS and len(str(read)) < 600)


@pytest.mark.parametrize("name", FIELDS)
@settings(LAWS, max_examples=20)
@given(value=anything)
def test_every_reader_refuses_by_its_own_name(name: str, value: object) -> None:
    read = _read_or_refused(lambda: readers.READERS[name](name, value))

    assert not isinstance(read, Refused) or name == read.field
