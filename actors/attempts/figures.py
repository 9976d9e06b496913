"""Count what became of attempts, a batch at a time: most are of one type and completed, and are counted together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from actors.attempts.attempt import Attempt
from persistence.attempts.record import COMPLETED, Ending, Recorded
from wire.metrics import table
from wire.states import Outcome, State


def recorded(batch: Sequence[Attempt], endings: Mapping[UUID, Ending], told: Mapping[UUID, Recorded]) -> None:
    """These are committed."""
    seconds, completed = defaultdict[str, list[float]](list), Counter[str]()
    for attempt in batch:
        name, ending = attempt.craft.type.name, endings[attempt.context.job_id]
        seconds[name].append((ending.finished_at - ending.started_at).total_seconds())
        if told[ending.job_id] is COMPLETED:
            completed[name] += 1
        else:
            _one(name, ending, told[ending.job_id])
    for name, each in seconds.items():
        table.EXECUTION.observe_all(each, name)
    for name, jobs in completed.items():
        table.ATTEMPTS.add(name, Outcome.COMPLETED, by=jobs)


def _one(name: str, ending: Ending, told: Recorded) -> None:
    table.ATTEMPTS.add(name, ending.outcome if told.current else Outcome.SUPERSEDED)
    if told.current and ending.outcome is Outcome.RETRY:
        table.RETRIES.add(name)
    if told.state is State.FAILED and ending.reason:
        table.FAILURES.add(name, ending.reason)
