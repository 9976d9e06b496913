"""What needs a thread and what does not wait apart, and are counted, shed and neglected together."""

from __future__ import annotations

from typing import Any

import pytest

from actors.attempts.craft import Craft
from actors.attempts.signals import Signals
from actors.broker import JobBroker
from actors.declared.roster import job_type
from actors.deliveries.delivery import NO_CHANNEL, Delivery
from actors.job import job
from actors.lane.waiting import Waiting
from wire.message import Incoming
from wire.settings import Limits


@pytest.fixture
def waiting(broker: JobBroker) -> Waiting:
    @job("on_loop")
    async def on_loop() -> None: ...

    @job("on_thread")
    def on_thread() -> None: ...

    crafts: dict[str, Any] = {
        actor.actor_name: Craft(job_type(actor, Limits()), actor, Signals(broker)) for actor in (on_loop, on_thread)
    }
    return Waiting(crafts)


def delivery(name: str, *, priority: int = 5, arrived: float = 0.0, channel: int = 1, size: int = 2) -> Delivery:
    message = Incoming(b"x" * size, "jobs", f"job.{name}.p5", "work.default", type=name, priority=priority)
    return Delivery(message, 0, channel, arrived)


def test_a_job_waits_where_its_kind_waits(waiting: Waiting) -> None:
    for one in (delivery("on_loop", arrived=7.0, size=4), delivery("on_thread", arrived=3.0), delivery("on_loop")):
        waiting.of(one).put(one)

    assert (2, 1, 3) == (len(waiting.on_loop), len(waiting.on_thread), len(waiting))
    assert (3.0, 8 / 3, [5, 5]) == (waiting.oldest, waiting.average_bytes, waiting.lowest_lately())


def test_what_is_shed_is_beyond_so_many_of_a_kind(waiting: Waiting) -> None:
    for one in (delivery("on_loop"), low := delivery("on_loop", priority=1), delivery("on_thread")):
        waiting.of(one).put(one)

    assert ([low], 2, 0) == (waiting.shed(1), len(waiting.shed(0)), len(waiting))
    assert (None, 0.0) == (waiting.oldest, waiting.average_bytes)


def test_the_neglected_of_a_kind_get_their_turn_among_their_own(waiting: Waiting) -> None:
    low = delivery("on_thread", priority=1, channel=NO_CHANNEL)
    waiting.neglect([low])
    for buffer in waiting.all:
        buffer.owe()

    assert ([low], []) == (waiting.on_thread.take(1), waiting.on_loop.take(1))
