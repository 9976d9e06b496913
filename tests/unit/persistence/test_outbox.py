"""An outbox row becomes a message: at once, or through the ladder, exact for `run_at` and rounded for a retry."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from persistence.accepting.outbox import LONGEST_WAIT_SECONDS, MOST_WAITING, Post, Publisher
from persistence.store.database import Database
from wire import ladder
from wire.rabbitmq.amqp import Broker
from wire.tracing import Trace

ID = UUID("019a0000-0000-7000-8000-000000000001")


def post(wait: timedelta, *, exact: bool) -> Post:
    return Post(1, ID, "echo", 7, b"{}", 3, 2, wait, exact, "no", Trace("a" * 32, "b" * 16))


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("wait", [timedelta(0), timedelta(seconds=-60)])
def test_what_is_due_goes_to_its_work_queue(wait: timedelta, exact: bool) -> None:
    message = post(wait, exact=exact).message()

    assert ("jobs", "job.echo.p7") == (message.exchange, message.routing_key)


@pytest.mark.parametrize("wait", [timedelta(milliseconds=1), timedelta(hours=1, seconds=1), timedelta(days=30)])
def test_a_wait_is_exact_for_run_at_and_rounded_for_a_retry(wait: timedelta) -> None:
    """
    0.8 % of a day is seven minutes: a retry may take them for fewer hops, a point in time may not.
    """
    exact, rounded = (post(wait, exact=e).message() for e in (True, False))

    assert ladder.entry(ladder.exact(wait), "job.echo.p7") == (exact.exchange, exact.routing_key)
    assert ladder.entry(ladder.rounded(wait), "job.echo.p7") == (rounded.exchange, rounded.routing_key)


def test_a_message_carries_its_run_its_attempt_its_reason_and_its_trace() -> None:
    message = post(timedelta(0), exact=True).message()

    assert {"run": 3, "attempt": 2, "because": "no", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"} == message.headers
    assert (str(ID), "echo", 7, b"{}") == (message.message_id, message.type, message.priority, message.body)


async def test_nobody_waits_for_room_while_the_broker_is_away() -> None:
    """
    A bulk would wait a second for each of its groups, and the sweep has the rows anyway.
    """
    nowhere = Broker("amqp://127.0.0.1:1/", "test", timeout_seconds=1)
    publisher = Publisher(Database("postgresql://127.0.0.1:1/", "test", connections=1, timeout_seconds=1), nowhere)
    publisher.give([post(timedelta(0), exact=True)] * MOST_WAITING)

    async with asyncio.timeout(LONGEST_WAIT_SECONDS / 2):
        await publisher.room()
