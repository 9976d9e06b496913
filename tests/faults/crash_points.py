"""The points at which the crash table kills a process: which one, at which function, before or after its call.

    name → Point(process, dotted function, before | after, at which call)

At some it is frozen instead, so that a test may take a server away at just this moment and let the process go on.

A dotted name is where the product looks the function up, so that the product needs no hook for it.  A refactoring that
moves one of them fails in test_points.py instead of disarming a test in silence.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Point:
    """One instruction at which a process may die."""

    process: str  # the module that runs it (`python -m`), or `worker`: a child of `actors`, or a child of that
    function: str
    when: Literal["before", "after"]  # the call; after one that raised or found nothing to do nobody dies
    nth: int = 1  # call in one process since it was armed
    about: str = ""  # counts only calls whose arguments say this
    by: signal.Signals = signal.SIGKILL


def before(process: str, function: str, nth: int = 1, about: str = "") -> Point:
    return Point(process, function, "before", nth, about)


def after(process: str, function: str, nth: int = 1) -> Point:
    return Point(process, function, "after", nth)


def frozen(process: str, function: str, about: str = "") -> Point:
    return Point(process, function, "before", about=about, by=signal.SIGSTOP)


POINTS: Final[Mapping[str, Point]] = {
    # the gateway takes a job: row and outbox row → publish → delete the outbox row
    "accept, before its commit": before("gateway", "persistence.accepting.accept.Acceptor._rows"),
    "accept, committed": after("gateway", "persistence.accepting.accept.Acceptor._rows"),
    "accept, published": before("gateway", "persistence.accepting.outbox.delete"),
    "accept, given to the broker": after("gateway", "persistence.accepting.accept.Acceptor._give_to_broker"),
    # the gateway changes a job
    "cancel, committed": before("gateway", "gateway.pausing.hints.Hints.give"),
    "retry by hand, committed": after("gateway", "persistence.ending.cancel.again"),
    "redrive, committed": after("gateway", "persistence.letters.redrive.redrive"),
    "redrive by filter, three done": after("gateway", "persistence.letters.redrive_runs.step", nth=3),
    "batch, committed": after("gateway", "persistence.batches.batches.create"),
    "batch sent again, before its commit": after("gateway", "persistence.batches.batch_orders._retry"),
    # a worker does a job: claim → run → record → publish what is due next, ack
    "claim, committed": after("worker", "actors.lane.admit.Admission.admit"),
    "letter, kept by a worker": after("worker", "persistence.letters.dead_letters.keep"),
    "run, begun": after("worker", "journey_jobs.witness"),
    "run, told to stop": before("worker", "actors.attempts.attempt.Attempt.cancel"),
    "record, before it": before("worker", "actors.attempts.settle.Settler._record"),
    "record, children inserted": after("worker", "persistence.attempts.record._bear_children"),
    "record, committed": after("worker", "actors.attempts.settle.Settler._record"),
    "record, next message published": before("worker", "persistence.accepting.outbox.delete"),
    "record, before the ack": before("worker", "actors.lane.acks.Acks.send"),
    "ways of a new type, two of four bound": before(
        "worker", "wire.rabbitmq.amqp._declare", nth=3, about="job.newcomer"
    ),
    "drain, begun": before("worker", "actors.lane.lane.Lane._until_idle"),
    # a worker, or a child process of it, does one of the catalogue's
    "mail, taken and not written": before("worker", "persistence.receipts.receipts.Receipts.keep"),
    "mail, written": after("worker", "persistence.receipts.receipts.Receipts.keep"),
    "backup, stored and not told of": after("worker", "actors.trades.backups.make._stored"),
    "report, while it counts": frozen("worker", "persistence.questions.activity.activity"),
    "artifact, stored and not listed": frozen("worker", "persistence.artifacts.archive.Archive._keep", about="convert"),
    # the workers' supervisor
    "end of a child, before it is written": before("actors", "actors.process.supervise.Child._end"),
    # the recorder makes rows of messages: insert → commit → ack
    "birth, before its commit": after("persistence", "persistence.foreign.recorder.bear"),
    "birth, before its ack": before("persistence", "wire.rabbitmq.amqp.Batch.ack", about="x_struck_as_a_birth"),
    "letter, before its ack": before("persistence", "wire.rabbitmq.amqp.Batch.ack", about="x_struck_as_a_letter"),
    "unrouted, back in the outbox": after("persistence", "persistence.foreign.recorder.return_to_outbox"),
    # the scheduler makes messages of rows
    "sweep, leased": before("scheduler", "persistence.accepting.outbox.publish"),
    "sweep, some published": after("scheduler", "wire.rabbitmq.pipeline.Pipeline.settle", nth=10),
    "rescue, between two batches": after("scheduler", "persistence.mending.rescue.send_overtaken"),
    "reap, between two batches": after("scheduler", "persistence.crew.reaping.send_orphans"),
    "batch ended, before its commit": after("scheduler", "persistence.batches.batch_ends._call"),
    "batch ended, committed": before("scheduler", "scheduler.batches._publish"),
    "fire, before its commit": before("scheduler", "persistence.schedules.fire.fire"),
    "fire, committed": after("scheduler", "persistence.schedules.fire.fire"),
    "fire, published": before("scheduler", "persistence.accepting.outbox.Publisher._forget"),
    "epoch, before the broker has it": after("scheduler", "persistence.mending.epoch.send_again"),
}
