"""Tell the metrics what a claim answered, and what stands in this process."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from actors.attempts.craft import Craft
from persistence.attempts.claim import Answer, Claim
from wire.metrics import table

# of a job that needs this delivery no more: it is acked and not run
DROPPED: Final = frozenset({Answer.STALE, Answer.FINISHED, Answer.GONE})


def answered(claims: Collection[Claim | str], started: int) -> None:
    """One claim's answers, of which so many were grants."""
    table.DELIVERIES.add(Answer.CLAIMED, by=started)
    if started == len(claims):
        return
    for answer, deliveries in Counter(claim.answer for claim in claims if isinstance(claim, Claim)).items():
        if answer in DROPPED:
            table.DUPLICATES.add(by=deliveries)
        if answer is not Answer.CLAIMED:
            table.DELIVERIES.add(answer, by=deliveries)


def begun(starts: Iterable[tuple[Craft, Claim]], at: datetime) -> None:
    """They started then, by this machine's clock; since when they were due, the database's clock has said."""
    waited = defaultdict[str, list[float]](list)
    for craft, claim in starts:
        if claim.due_at is not None:
            waited[craft.type.queue].append((at - claim.due_at).total_seconds())
        if claim.crashes:
            table.CRASH_STARTS.add(craft.type.name)
    for queue, seconds in waited.items():
        table.WAIT.observe_all(seconds, queue)


def standing(
    *, slots: int, free: int, running: int, buffered: int, prefetch: int, consuming: bool, for_child: int
) -> None:
    """Of this process, now."""
    table.PROCESSES.set(1)
    table.CONSUMING.set(consuming)
    table.SLOTS.set(slots)
    table.SLOTS_FREE.set(free)
    table.RUNNING.set(running)
    table.BUFFERED.set(buffered)
    table.PREFETCH.set(prefetch)
    table.WAITING_FOR_CHILD.set(for_child)
