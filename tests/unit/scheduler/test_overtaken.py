"""Overtaken means lost: which due times two looks at a queue condemn, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from persistence.mending.rescue import Crew, Queues
from scheduler.overtaken import Bounds, Look, comparable, overtaken

T = datetime(2030, 1, 1, tzinfo=UTC)
BOUNDS = Bounds(timedelta(seconds=60), timedelta(seconds=10))


def at(seconds: float) -> datetime:
    return T + timedelta(seconds=seconds)


def look(
    seconds: float,
    depth: int | None = 7,
    marks: dict[int, float] | None = None,
    crews: Sequence[Crew] = (),
    homes: frozenset[str] = frozenset({"q"}),
) -> Look:
    """A look at the one queue `q`."""
    reached = {("q", priority): at(due) for priority, due in (marks or {}).items()}
    return Look(at(seconds), Queues(at(seconds), ["q"], homes, reached, crews), {"q": depth})


def crew(beaten: float = 9, waiting: int = 0, since: float | None = None, queue: str = "q") -> Crew:
    return Crew([queue], at(beaten), waiting, None if since is None else at(since))


def condemned(then: Look, now: Look | None = None) -> dict[int, float]:
    """By priority, since when a job must have waited to be lost."""
    levels = overtaken(then, now or look(10, crews=[crew()]), BOUNDS)
    return {level.priority: (level.before - T).total_seconds() for level in levels}


def test_a_backlog_that_nobody_has_passed_is_left_alone() -> None:
    assert {} == condemned(look(0))


def test_a_start_condemns_what_came_due_a_good_while_before_it_at_its_priority_and_above() -> None:
    assert dict.fromkeys(range(5, 11), -90.0) == condemned(look(0, marks={5: -30}))


def test_a_start_of_a_higher_priority_says_nothing_about_a_lower_one() -> None:
    assert {10: -60.0} == condemned(look(0, marks={10: 0}))


def test_each_priority_is_judged_by_the_latest_start_at_or_below_it() -> None:
    found = condemned(look(0, marks={3: -500, 5: -30, 8: -900}))

    assert {3: -560.0, 4: -560.0, 5: -90.0, 8: -90.0, 10: -90.0} == {p: found[p] for p in (3, 4, 5, 8, 10)}


def test_an_empty_queue_condemns_all_priorities_after_a_short_grace() -> None:
    assert dict.fromkeys(range(1, 11), -10.0) == condemned(look(0, depth=0))
    assert dict.fromkeys(range(1, 11), -10.0) == condemned(look(0, depth=0), look(10))  # nobody works at all


def test_a_queue_that_does_not_exist_gives_no_verdict() -> None:
    """Nobody would hear a fresh message; when the queue stands again, it is seen empty."""
    assert {} == condemned(look(0, depth=None))


@pytest.mark.parametrize(
    ("worker", "condemns"),
    [
        (crew(beaten=1), True),  # has said since then that nothing waits with it
        (crew(beaten=-1), False),  # has not said anything since
        (crew(waiting=3, since=-1), False),  # keeps one that came before
        (crew(waiting=3, since=1), True),  # keeps only later ones
        (crew(waiting=3), False),  # keeps some, and does not say since when
        (crew(waiting=3, since=-1, queue="other"), True),
    ],
)
def test_what_a_worker_may_still_keep_is_not_lost(worker: Crew, condemns: bool) -> None:
    assert condemns is bool(condemned(look(0, depth=0), look(10, crews=[crew(), worker])))


def test_the_second_look_condemns_nothing_by_itself() -> None:
    assert {} == condemned(look(0), look(10, depth=0, marks={5: 9}, crews=[crew()]))


def test_a_queue_that_its_types_have_left_and_nobody_serves_keeps_nobody_waiting() -> None:
    left = look(0, homes=frozenset({"elsewhere"}))

    assert dict.fromkeys(range(1, 11), -60.0) == condemned(left, look(10))
    assert {} == condemned(left)  # an older worker still serves it


def test_a_look_is_compared_once_every_worker_has_beaten_since() -> None:
    """
    Two that beat in turn may never both beat between a look and the next one.
    """
    looks = [look(0), look(1), look(2)]
    seldom = [crew(beaten=1.5), crew(beaten=2.5)]

    assert looks[1] is comparable(looks, look(3, crews=seldom))
    assert looks[2] is comparable(looks, look(3))
    assert None is comparable(looks, look(3, crews=[crew(beaten=0)]))
