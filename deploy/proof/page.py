"""What is printed of a proof: its title, the ledger in columns, the promises, the verdict.  Pure text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deploy.proof.contestant import Contestant
from deploy.proof.ledger import Ledger, Recorded
from deploy.proof.pace import BEST_OF_SECONDS
from deploy.proof.promises import PROMISES, Promise
from deploy.servers.instance import Instance
from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ

LABEL, COLUMN, PROMISE = 24, 16, 28
NONE = "–"


def title(jobs: int, tuning: Mapping[str, str]) -> str:
    said = f"  {jobs:,} jobs of 20 to 50 ms on servers of their own, and everything under them is killed."
    tuned = " ".join(f"{name}={value}" for name, value in sorted(tuning.items()))
    return said + (f"\n  With {tuned} of your environment." if tuned else "") + "\n"


def peer_title(name: str, workers: int) -> str:
    return (
        f"\n  {name}, the same faults but for the gateway's and Postgres', which it does not have.\n"
        f"  RabbitmqBroker with confirms, its own middleware and options; {workers} processes of 8 threads.\n"
    )


def crew(contestant: Contestant) -> str:
    return "; ".join([*map(_server, contestant.servers), ", ".join(role.name for role in contestant.roles)])


def _server(server: Instance) -> str:
    match server:
        case RabbitMQ():
            return f"RabbitMQ {server.version()}"
        case Postgres():
            return f"Postgres {server.binaries.major}"
    return server.name


Cell = Callable[[Ledger], str]


def ledgers(columns: Mapping[str, Ledger]) -> str:
    """One column a contestant, one row a question."""
    head = f"  {'what the witness saw':<{LABEL}}" + "".join(f"{name:>{COLUMN}}" for name in columns)
    lines = [head]
    for name, cell in _rows():
        lines.append(f"  {name:<{LABEL}}" + "".join(f"{cell(ledger):>{COLUMN}}" for ledger in columns.values()))
    return "\n" + "\n".join(lines)


def _rows() -> list[tuple[str, Cell]]:
    return [
        ("accepted", lambda one: f"{one.accepted:,}"),
        ("completed", lambda one: f"{one.completed:,}"),
        ("lost", lambda one: f"{len(one.lost):,}"),
        ("  of them by the purge", lambda one: f"{one.lost_in_purge:,}"),
        ("ran twice", lambda one: f"{one.twice.total:,}"),
        ("  cut off by a kill", lambda one: f"{one.twice.cut_off:,} of {one.running_at_kills:,}"),
        ("  killed as it ended", lambda one: f"{one.twice.unrecorded:,}"),
        ("  for another reason", lambda one: f"{one.twice.otherwise:,}"),
        ("recorded twice", _recorded(lambda one: f"{one.twice:,}")),
        ("recorded as failed", _recorded(lambda one: f"{sum(one.blamed.values()):,}")),
        ("longest stall", lambda one: f"{one.stall.seconds:.1f} s"),
        ("jobs/s with the outages", lambda one: f"{one.rate:,.0f}"),
        (f"jobs/s at best ({BEST_OF_SECONDS:.0f} s)", lambda one: f"{one.best_rate:,.0f}"),
    ]


def _recorded(cell: Callable[[Recorded], str]) -> Cell:
    return lambda one: NONE if one.recorded is None else cell(one.recorded)


def stall(ours: Ledger) -> str:
    """Why nothing ended for so long: the last thing that was done before it went on."""
    if ours.stall.only_purged:
        return "  Warren's longest stall: only the purged jobs were left, and had not been missed yet."
    over = ours.stall.since + ours.stall.seconds
    before = [name for at, name in ours.strikes if at < over]
    return f"  Warren's longest stall came with: {before[-1] if before else 'the beginning'}."


def promises(width: int) -> str:
    rows = [_promise(promise, width) for promise in PROMISES]
    return "\n".join([f"  {'promise':<{PROMISE + 4}}guarded by (deploy/test runs it)", *rows])


def _promise(promise: Promise, width: int) -> str:
    """The first test by its name where that fits, else by its file."""
    head = f"  {promise.number:>2}  {promise.words:<{PROMISE}}"
    test, file = promise.tests[0], promise.tests[0].partition("::")[0]
    more = f" (+{len(promise.tests) - 1})" if promise.tests[1:] else ""
    ways = (test + more, file + more, file.removeprefix("tests/"))
    return head + next((way for way in ways if len(head + way) <= width), ways[-1])


def verdict(ours: Ledger) -> str:
    if ours.faults:
        named = f"\n  Lost: {', '.join(ours.lost[:2])}{' …' if ours.lost[2:] else ''}" if ours.lost else ""
        return f"  The proof FAILED: {'; '.join(ours.faults)}.{named}"
    return f"  All {ours.accepted:,} accepted jobs were done and recorded once; none was lost."
