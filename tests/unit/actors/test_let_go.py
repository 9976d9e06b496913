"""What a failed function had in hand goes with its attempt, and waits for no garbage collection."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from actors.attempts.attempt import Attempt
from actors.attempts.begin import begin
from actors.attempts.craft import Craft
from actors.attempts.signals import Signals
from actors.attempts.threads import Threads
from actors.broker import JobBroker
from actors.declared.roster import job_type
from actors.deliveries.delivery import Delivery
from actors.job import job
from persistence.attempts.claim import Answer, Claim
from wire.message import Incoming
from wire.settings import Limits

CLAIM = Claim(Answer.CLAIMED, lease=1, run=1, attempt=1, timeout_seconds=60.0)


class Page:
    """Megabytes, perhaps."""


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("kind", ["on the loop", "with its signals on a thread", "on a thread"])
@pytest.mark.usefixtures("no_collector")
async def test_what_a_failed_function_had_in_hand_goes_with_its_attempt(kind: str, broker: JobBroker) -> None:
    """
    A worker seldom looks for garbage; hundreds of failed jobs with ten megabytes each would be its end.
    """
    pages: list[weakref.ref[Page]] = []

    def fail() -> None:
        page = Page()
        pages.append(weakref.ref(page))
        raise ValueError("not what it should be")

    @job("on_loop")
    async def on_loop() -> None:
        fail()

    @job("on_thread")
    def on_thread() -> None:
        fail()

    actor = on_thread if kind == "on a thread" else on_loop
    craft, threads = Craft(job_type(actor, Limits()), actor, Signals(broker)), Threads(1)
    held = []
    for _ in range(3):  # a thread keeps what it did last until it does something else
        attempt, over = _attempt(craft)
        if kind == "on a thread":
            attempt.start_on(threads)
        else:
            assert craft.function
            attempt.start(craft.function, threads if kind == "with its signals on a thread" else None)
        await over.wait()
        held.append(pages[-1]() is not None)  # its traceback is still to be recorded
        attempt.let_go()
    threads.stop()

    assert [True] * 3 == held
    assert [None, None] == [page() for page in pages[:2]]


def _attempt(craft: Craft) -> tuple[Attempt, asyncio.Event]:
    name, over = craft.type.name, asyncio.Event()
    body = b'{"type": "%s", "payload": {}}' % name.encode()
    message = Incoming(body, "jobs", f"job.{name}.p5", "work.default", {"run": 1}, str(uuid4()), name, 5)
    door: Any = None
    return begin(craft, Delivery(message, 1, 1), CLAIM, door=door, over=lambda _: over.set()), over
