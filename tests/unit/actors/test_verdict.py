"""How an attempt ended decides what happens to its job; nothing an actor does can leave it undecided."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from typing import NoReturn

import dramatiq
import pytest
from pydantic import BaseModel

from actors.attempts.verdict import (
    Budget,
    Completed,
    End,
    Failed,
    Interrupted,
    Raised,
    Retry,
    Returned,
    Snoozed,
    Stopped,
    TimedOut,
    Verdict,
    backoff,
    decide,
)
from actors.ends import PermanentError, RetryAfter, Snooze
from wire.fields import LONGEST_WAIT
from wire.states import Reason

ERROR = ValueError("no")


def budget(attempt: int = 1, max_retries: int = 3, **other: object) -> Budget:
    plain = {"base": timedelta(seconds=2), "cap": timedelta(seconds=300)}
    return Budget(attempt, max_retries, **(plain | other))  # type: ignore[arg-type]


def word(verdict: Verdict) -> str:
    """A verdict without its times and texts."""
    return verdict.reason.value if isinstance(verdict, Failed) else type(verdict).__name__


FRESH, LAST, NONE = budget(1), budget(4), budget(1, max_retries=0)


@pytest.mark.parametrize(
    ("end", "fresh", "last", "none"),
    [
        (Returned(None), "Completed", "Completed", "Completed"),
        (Returned({"a": 1}), "Completed", "Completed", "Completed"),
        (Returned(math.nan), "unstorable_result", "unstorable_result", "unstorable_result"),
        (Raised(ERROR), "Retry", "exhausted", "exhausted"),
        (Raised(SystemExit(1)), "Retry", "exhausted", "exhausted"),
        (Raised(KeyboardInterrupt()), "Retry", "exhausted", "exhausted"),
        (Raised(asyncio.CancelledError()), "Retry", "exhausted", "exhausted"),
        (Raised(TimeoutError()), "Retry", "exhausted", "exhausted"),
        (Raised(PermanentError("no")), "permanent", "permanent", "permanent"),
        (Raised(RetryAfter(7)), "Retry", "exhausted", "exhausted"),
        (Raised(dramatiq.Retry("later", delay=7_000)), "Retry", "exhausted", "exhausted"),
        (Raised(Snooze(7)), "Snoozed", "Snoozed", "Snoozed"),
        (TimedOut(timedelta(seconds=60)), "Retry", "timeout", "timeout"),
        (Stopped(), "Interrupted", "Interrupted", "Interrupted"),
    ],
    ids=repr,
)
def test_every_end_has_its_verdict_at_every_budget(end: End, fresh: str, last: str, none: str) -> None:
    assert (fresh, last, none) == tuple(word(decide(end, b, 0.5)) for b in (FRESH, LAST, NONE))


@pytest.mark.parametrize(("attempt", "verdict"), [(1, "Retry"), (2, "Retry"), (3, "Retry"), (4, "exhausted")])
def test_three_retries_are_up_to_four_attempts(attempt: int, verdict: str) -> None:
    assert verdict == word(decide(Raised(ERROR), budget(attempt, max_retries=3), 0.0))


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(1, 2), (2, 4), (3, 8), (4, 16), (7, 128), (8, 256), (9, 300), (40, 300), (1_000, 300), (10**9, 300)],
)
def test_the_wait_doubles_up_to_its_cap(attempt: int, seconds: int) -> None:
    assert timedelta(seconds=seconds) == backoff(budget(attempt, max_retries=10**9), 0.0)


@pytest.mark.parametrize("attempt", [1, 5, 100])
def test_jitter_adds_up_to_a_quarter_and_takes_nothing_away(attempt: int) -> None:
    """
    A hundred jobs that failed together must not come back together; none comes back before its time.
    """
    plain = backoff(budget(attempt), 0.0)
    waits = [backoff(budget(attempt), step / 100) for step in range(100)]

    assert sorted(set(waits)) == waits
    assert plain == waits[0]
    assert waits[-1] < plain * 1.25


@pytest.mark.parametrize("base", [timedelta(microseconds=1), timedelta(days=1), timedelta(days=3_660)])
@pytest.mark.parametrize("cap", [timedelta(seconds=1), timedelta(days=10), timedelta(days=3_660)])
@pytest.mark.parametrize("attempt", [1, 41, 64, 1_001, 2**31])
def test_no_budget_overflows(base: timedelta, cap: timedelta, attempt: int) -> None:
    assert timedelta(0) < backoff(budget(attempt, base=base, cap=cap), 0.999) <= cap * 1.25


@pytest.mark.parametrize(
    "error", [RetryAfter(7), RetryAfter(timedelta(seconds=7)), dramatiq.Retry("later", delay=7_000)], ids=repr
)
def test_an_actor_may_name_its_own_wait(error: Exception) -> None:
    verdict = decide(Raised(error), FRESH, 0.9)

    assert isinstance(verdict, Retry)
    assert timedelta(seconds=7) == verdict.after


def test_a_retry_of_dramatiqs_without_a_delay_waits_as_usual() -> None:
    verdict = decide(Raised(dramatiq.Retry("later")), FRESH, 0.0)

    assert isinstance(verdict, Retry)
    assert timedelta(seconds=2) == verdict.after


@pytest.mark.parametrize(("delay", "seconds"), [(-5, 0), (10**30, LONGEST_WAIT.total_seconds())])
def test_a_wait_beyond_reason_is_bounded(delay: int, seconds: float) -> None:
    verdict = decide(Raised(dramatiq.Retry("later", delay=delay)), FRESH, 0.0)

    assert isinstance(verdict, Retry)
    assert timedelta(seconds=seconds) == verdict.after


def test_a_snooze_keeps_its_time_and_its_reason() -> None:
    verdict = decide(Raised(Snooze(60, "the mailbox is locked")), LAST, 0.9)

    assert isinstance(verdict, Snoozed)
    assert (timedelta(seconds=60), "the mailbox is locked") == (verdict.after, verdict.trouble.message)
    assert None is verdict.trouble.traceback


@pytest.mark.parametrize("end", [RetryAfter, Snooze])
@pytest.mark.parametrize(
    "after", [-1, timedelta(seconds=-1), math.nan, math.inf, 1e30, timedelta(days=4_000)], ids=repr
)
def test_a_wait_that_is_none_is_refused_where_it_is_written(end: type[Exception], after: object) -> None:
    with pytest.raises((ValueError, OverflowError)):
        end(after)


class Expected(Exception):
    pass


class Unexpected(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "verdict"), [(Expected(), "permanent"), (type("Child", (Expected,), {})(), "permanent"), (ERROR, "Retry")]
)
def test_what_an_actor_throws_by_contract_is_not_retried(error: Exception, verdict: str) -> None:
    assert verdict == word(decide(Raised(error), budget(throws=(Expected, KeyError)), 0.0))


@pytest.mark.parametrize(
    ("attempt", "error", "verdict"),
    [(1, Expected(), "Retry"), (99, Expected(), "Retry"), (1, ERROR, "exhausted"), (1, RetryAfter(1), "Retry")],
)
def test_retry_when_decides_instead_of_the_number_of_retries(attempt: int, error: Exception, verdict: str) -> None:
    """
    As with Dramatiq, whose option it is.
    """
    only_expected = budget(attempt, retry_when=lambda retries, e: isinstance(e, Expected))

    assert verdict == word(decide(Raised(error), only_expected, 0.0))


def test_retry_when_is_told_how_many_retries_there_were() -> None:
    told: list[int] = []

    def listening(retries: int, error: BaseException) -> bool:
        told.append(retries)
        return True

    decide(Raised(ERROR), budget(3, retry_when=listening), 0.0)

    assert [2] == told


@pytest.mark.parametrize(("attempt", "verdict"), [(1, "Retry"), (4, "exhausted")])
def test_a_broken_retry_when_leaves_the_plain_rule(attempt: int, verdict: str) -> None:
    def broken(retries: int, error: BaseException) -> NoReturn:
        raise ZeroDivisionError

    assert verdict == word(decide(Raised(ERROR), budget(attempt, retry_when=broken), 0.0))


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("I would rather not say")


class NoWords(Exception):
    def __str__(self) -> str:
        return 7  # type: ignore[return-value]  # noqa: PLE0307 - such classes are out there


@pytest.mark.parametrize("error", [Mute(), NoWords()], ids=["raises", "no text"])
def test_an_error_that_cannot_say_itself_is_recorded_all_the_same(error: Exception) -> None:
    verdict = decide(Raised(error), FRESH, 0.0)

    assert isinstance(verdict, Retry)
    assert type(error).__name__ == verdict.trouble.type
    assert "could not be read" in verdict.trouble.message


def test_an_error_is_kept_with_its_type_its_words_and_its_place() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError as e:
        verdict = decide(Raised(e), NONE, 0.0)

    assert isinstance(verdict, Failed)
    assert ("ValueError", "no such thing") == (verdict.trouble.type, verdict.trouble.message)
    assert "test_verdict.py" in str(verdict.trouble.traceback)


def test_the_words_of_an_error_are_bounded() -> None:
    verdict = decide(Raised(ValueError("x" * 10_000_000)), FRESH, 0.0)

    assert isinstance(verdict, Retry)
    assert 2_000 == len(verdict.trouble.message)


def test_a_time_limit_says_how_long_it_was() -> None:
    verdict = decide(TimedOut(timedelta(seconds=1.5)), NONE, 0.0)

    assert isinstance(verdict, Failed)
    assert "ran longer than its limit of 1.5 s" == verdict.trouble.message


class Result(BaseModel):
    n: int


@pytest.mark.parametrize(
    ("value", "result"),
    [(None, None), (0, "0"), ("", '""'), ([], "[]"), ({"é": [1]}, '{"é":[1]}'), (Result(n=1), '{"n":1}')],
    ids=repr,
)
def test_a_result_is_kept_as_json(value: object, result: str | None) -> None:
    assert Completed(result) == decide(Returned(value), FRESH, 0.0)


ring: dict[str, object] = {}
ring["ring"] = ring


@pytest.mark.parametrize(
    "value",
    [
        math.nan, math.inf, {"a": [math.nan]}, "\x00", "a\x00", {"\x00": 1}, "\ud800", object(), ring, b"\xff",
        (n / 0 for n in [1]), 10**5_000, {1: 1, "1": 2}, lambda: None,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_result_that_cannot_be_stored_fails_its_own_job_and_is_not_retried(value: object) -> None:
    """
    In a batch it would stop its neighbours, again and again.
    """
    verdict = decide(Returned(value), FRESH, 0.0)

    assert isinstance(verdict, Failed)
    assert (Reason.UNSTORABLE_RESULT, "UnstorableResult") == (verdict.reason, verdict.trouble.type)
    assert verdict.trouble.message.startswith("result: ")


def test_a_shutdown_is_no_failure() -> None:
    assert Interrupted() == decide(Stopped(), NONE, 0.0)
