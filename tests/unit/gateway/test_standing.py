"""Why a schedule fires or does not: how it stands → one sentence and one word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.schedules.standing import explain
from persistence.schedules.schedule import NEVER, Next, PausedBecause, Plan, Schedule, Standing
from wire.times.when import When

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
PLAN = Plan("n", "echo", b"{}", "{}")
ONE = Schedule(UUID(int=1), PLAN, Standing.ACTIVE, 7, NEVER, 1, NOW, NOW)
SOON, LATE = NOW + timedelta(minutes=5), NOW - timedelta(minutes=3)
PAUSED: dict[str, Any] = {"state": Standing.PAUSED, "paused_at": NOW - timedelta(hours=1)}
ENDED: dict[str, Any] = {"state": Standing.ENDED}


@pytest.mark.parametrize(
    ("change", "when", "cause", "sentence"),
    [
        ({"next": Next(SOON, SOON)}, When(), "waiting", "It fires next at 12:05:00 UTC, in 5 min."),
        ({"next": Next(NOW, NOW)}, When(), "waiting", "It fires just now."),
        ({"next": Next(LATE, LATE)}, When(), "late",
         "It should have fired at 11:57:00 UTC, 3 min ago, and no clock has done so: is a scheduler running?"),
        ({**PAUSED, "paused_because": PausedBecause.PERSON, "paused_by": "ada", "paused_note": "moving\nhouse"}, When(),
         "paused", "It is paused since 11:00:00 UTC by ada: moving house."),
        ({**PAUSED, "paused_because": PausedBecause.PERSON}, When(), "paused", "It is paused since 11:00:00 UTC."),
        ({**PAUSED, "paused_because": PausedBecause.FAILURES, "failures_in_a_row": 3}, When(), "failures",
         "It is paused since 11:00:00 UTC, because its last 3 runs failed; resume it when the cause is gone."),
        ({**PAUSED, "paused_because": PausedBecause.UNREADABLE}, None, "unreadable",
         "It is paused since 11:00:00 UTC, because nobody can tell when it is due; edit it."),
        ({**ENDED, "fired": 5, "plan": replace(PLAN, max_runs=5)}, When(), "all_runs_made",
         "It has ended: all of its 5 runs have been made."),
        (ENDED, When(once_at=LATE), "over", "It has ended: its one time, 11:57:00 UTC, has passed."),
        (ENDED, When(ends_at=LATE), "over", "It has ended: nothing is due before its end, 11:57:00 UTC."),
        (ENDED, None, "over", "It has ended: it has no due time left."),
    ],
)  # fmt: skip
def test_how_it_stands_in_words(change: dict[str, Any], when: When | None, cause: str, sentence: str) -> None:
    told = explain(replace(ONE, **change), when, NOW)

    assert (cause, sentence) == (told.cause, told.sentence)
