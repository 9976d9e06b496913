"""The ledger: what became of the jobs that were accepted, by the witness and by what was recorded.  Pure.

A job is *lost* when it was accepted and never ended.  It *ran twice* when it began twice, whether or not the first
time came to its end.  Only one that was in flight in a process when that process was killed may: it was running, or it
had just ended and its outcome was still on its way.  What ran twice otherwise is a fault.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.proof.pace import Stall, best_rate, longest_stall
from deploy.proof.witness import Event

RECORDED_WITHIN = 3.0  # seconds from a job's end to the commit of its outcome, a failed commit and its pause included


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that ran jobs was killed."""

    pid: int
    at: float


@dataclass(frozen=True, slots=True)
class Outage:
    """The store was away: outcomes had to wait."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the contestant itself has written down of its jobs; a job that is blamed has not completed there."""

    completed: int
    twice: int
    unfinished: int
    blamed: Mapping[str, int] = field(default_factory=dict)  # state and reason → jobs
    crashed: int = 0  # attempts that ended with their process
    superseded: int = 0  # late outcomes that were kept aside


@dataclass(frozen=True, slots=True)
class Twice:
    """Jobs that began more than once, by why the earlier time did not count."""

    cut_off: int  # its process was killed while it ran
    unrecorded: int  # its process was killed when it had just ended
    otherwise: int

    @property
    def total(self) -> int:
        return self.cut_off + self.unrecorded + self.otherwise


@dataclass(frozen=True, slots=True)
class Ledger:
    asked: int
    accepted: int
    completed: int
    lost: tuple[str, ...]
    lost_in_purge: int  # of the lost, those that waited when a queue was purged
    twice: Twice
    running_at_kills: int  # no more jobs than these may run twice after they were cut off
    unknown: int  # ran and were never accepted
    stall: Stall
    seconds: float
    best_rate: float  # jobs a second, over the best few seconds
    strikes: Sequence[tuple[float, str]]  # when what was done
    recorded: Recorded | None  # None: this contestant keeps no record

    @property
    def rate(self) -> float:
        return self.completed / self.seconds if self.seconds else 0.0

    @property
    def faults(self) -> list[str]:
        """What must not be; nothing when the proof stands."""
        found = {
            f"{self.asked - self.accepted:,} were never accepted": self.accepted < self.asked,
            f"{len(self.lost):,} lost": bool(self.lost),
            f"{self.unknown:,} ran that nobody had accepted": bool(self.unknown),
            f"{self.twice.otherwise:,} ran twice without a kill": bool(self.twice.otherwise),
        }
        if self.recorded is not None:
            found |= {
                f"{self.recorded.twice:,} recorded twice": bool(self.recorded.twice),
                f"{sum(self.recorded.blamed.values()):,} recorded as failed": bool(self.recorded.blamed),
                f"{self.recorded.completed:,} recorded as completed": self.recorded.completed != self.accepted,
            }
        return [fault for fault, holds in found.items() if holds]


def ledger(
    accepted: Mapping[str, float],
    events: Sequence[Event],
    *,
    asked: int | None = None,
    kills: Sequence[Kill] = (),
    outages: Sequence[Outage] = (),
    purged: Collection[str] = (),
    strikes: Sequence[tuple[float, str]] = (),
    recorded: Recorded | None = None,
) -> Ledger:
    """Of the ids that were accepted (and when), what the witness saw, and what was done to whom."""
    ends = sorted(event.at for event in events if not event.began)
    ended = {event.job for event in events if not event.began}
    begins = Counter(event.job for event in events if event.began)
    lost = sorted(accepted.keys() - ended)
    first = min(accepted.values(), default=0.0)
    return Ledger(
        asked=len(accepted) if asked is None else asked,
        accepted=len(accepted),
        completed=len(ended & accepted.keys()),
        lost=tuple(lost),
        lost_in_purge=len(set(purged).intersection(lost)),
        twice=twice(events, kills, outages),
        running_at_kills=sum(len(running_at(events, kill)) for kill in kills),
        unknown=len(begins.keys() - accepted.keys()),
        stall=longest_stall(accepted, events, frozenset(purged)),
        seconds=max(ends, default=first) - first,
        best_rate=best_rate(ends),
        strikes=strikes,
        recorded=recorded,
    )


def running_at(events: Sequence[Event], kill: Kill) -> set[str]:
    """Jobs that a process had begun and not ended when it was killed."""
    mine = [event for event in events if event.pid == kill.pid and event.at <= kill.at]
    return {event.job for event in mine if event.began} - {event.job for event in mine if not event.began}


def twice(events: Sequence[Event], kills: Sequence[Kill], outages: Sequence[Outage] = ()) -> Twice:
    """Each job that began more than once, by what became of its last beginning but one."""
    killed = {kill.pid: kill.at for kill in kills}
    begins: dict[str, list[Event]] = defaultdict(list)
    ends = {(event.job, event.pid): event.at for event in events if not event.began}
    for event in events:
        if event.began:
            begins[event.job].append(event)
    reasons = Counter(
        _reason(earlier, killed.get(earlier.pid), ends.get((job, earlier.pid)), outages)
        for job, (*_, earlier, _) in ((job, of_job) for job, of_job in begins.items() if len(of_job) > 1)
    )
    return Twice(reasons["cut off"], reasons["unrecorded"], reasons["otherwise"])


def _reason(earlier: Event, killed_at: float | None, ended_at: float | None, outages: Sequence[Outage]) -> str:
    if killed_at is None or killed_at < earlier.at:
        return "otherwise"
    if ended_at is None:
        return "cut off"
    away = sum(max(0.0, min(killed_at, o.until) - max(ended_at, o.since)) for o in outages)
    return "unrecorded" if killed_at - ended_at - away < RECORDED_WITHIN else "otherwise"
