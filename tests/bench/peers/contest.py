"""The contest: everybody drains the same backlog by turns, in one run, on the same two servers.

By turns, because a shared machine is not the same machine a minute later: the bars are ratios within a round, and of
those the median.  Then each is given 20 jobs a second, and the jobs tell how soon they began.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tests.bench.drained import Drained, Stuck
from tests.bench.figure import Figure
from tests.bench.peers.contestants import BARE, CELERY, DRAMATIQ, Peer
from tests.bench.peers.run import Contestant, Other, Warren
from tests.bench.stage import Servers
from wire.version import VERSION

T = TypeVar("T")
HOW_TO_GET = ".venv/bin/pip install -r deploy/requirements-bench.lock"
WARREN_SAYS = "2 processes, all of Warren's own processes beside, every promise kept; jobs come in over HTTP"
WARREN = "Warren"
FEWEST = 500
BARS = {BARE.name: 0.5, DRAMATIQ.name: 3.0, CELERY.name: 12.0}  # how many times their rate


@dataclass(frozen=True, slots=True)
class Standing:
    """What one contestant has shown."""

    name: str
    version: str
    configured: str
    jobs: int  # that a turn of it drains
    turns: list[Drained] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)  # seconds, sorted

    @property
    def per_second(self) -> float:
        return statistics.median(turn.per_second for turn in self.turns)

    @property
    def spread(self) -> tuple[float, float]:
        rates = [turn.per_second for turn in self.turns]
        return min(rates), max(rates)

    def micros(self, role: str) -> float:
        """Of processor time a job."""
        return statistics.median(turn.micros.get(role, 0.0) for turn in self.turns)

    def start_millis(self, share: float) -> float | None:
        return self.starts[min(len(self.starts) - 1, int(len(self.starts) * share))] * 1000 if self.starts else None


def contest(
    servers: Servers, jobs: int, runs: int, paced: int, peers: Iterable[Peer], say: Callable[[str], None] = print
) -> list[Standing]:
    """Warren first, the bare loop second, then whoever of the peers is installed and gets through."""
    entered: list[tuple[Contestant, Standing]] = [(Warren(), Standing(WARREN, VERSION, WARREN_SAYS, jobs))]
    for peer in (BARE, *peers):
        if (version := peer.version()) is None:
            say(f"{peer.name} is not installed; to have it: {HOW_TO_GET}")
        else:
            fewer = max(FEWEST, int(jobs * peer.share))
            entered.append((Other(peer), Standing(peer.name, version, peer.configured, fewer)))
    for number in range(runs):
        for one, standing in turn(entered, number):
            with _or_told(standing.name, say):
                standing.turns.append(one.drained(servers, standing.jobs))
                say(f"{one.name}: {standing.turns[-1].per_second:,.0f} jobs/s")
    for one, standing in entered if paced else []:
        with _or_told(standing.name, say):
            standing.starts.extend(one.starts(servers, paced))
            say(f"{one.name}: p50 {standing.start_millis(0.5):.2f} ms from submit to start")
    return [standing for _, standing in entered if standing.turns]


@contextlib.contextmanager
def _or_told(name: str, say: Callable[[str], None]) -> Iterator[None]:
    """A peer that fails must not take the others' figures along; Warren and the floor may not fail."""
    try:
        yield
    except (Stuck, AssertionError, subprocess.CalledProcessError) as failed:
        if name in (WARREN, BARE.name):
            raise
        say(f"{name} did not get through: {failed}")


def turn(entered: Sequence[T], number: int) -> list[T]:
    """Each round begins with another one, so that nobody always meets the coldest servers."""
    first = number % len(entered)
    return [*entered[first:], *entered[:first]]


def ratio(ours: Standing, theirs: Standing) -> float:
    """The median of the rounds' ratios; where one has lost a turn, the ratio of the medians."""
    if len(ours.turns) != len(theirs.turns):
        return ours.per_second / theirs.per_second
    return statistics.median(
        our.per_second / their.per_second for our, their in zip(ours.turns, theirs.turns, strict=True)
    )


def figures(standings: Sequence[Standing]) -> list[Figure]:
    """The bars of the contest; one against a peer that is not there is left out."""
    found = {standing.name: standing for standing in standings}
    ours = found[WARREN]
    low, high = ours.spread
    told = f"{ours.jobs:,} jobs; {low:,.0f} to {high:,.0f}"
    return [
        Figure("drain, 2 processes", ours.per_second, "jobs/s", beside=told),
        *(
            Figure(f"drain, times {name}", ratio(ours, found[name]), "x", at_least=bar)
            for name, bar in BARS.items()
            if name in found
        ),
        *_starts(standings),
    ]


def _starts(standings: Sequence[Standing]) -> list[Figure]:
    return [
        Figure(f"submit → start, {standing.name}", millis, "ms", beside="p50 at 20 jobs/s")
        for standing in standings
        if (millis := standing.start_millis(0.5)) is not None
    ]
