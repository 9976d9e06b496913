"""Whoever publishes a job with `reply_to` is told what became of it, and needs no more rights than to publish."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pika
import pytest

from tests.conftest import Places
from tests.eventually import eventually
from tests.journey import shop
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.shop import Asker
from tests.journey.stack import Stack

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def publisher(home: Places, stack: Stack) -> Iterator[str]:
    """The AMQP address of a user who may write to `jobs.in` and do nothing else."""
    with shop.login(home, shop.permissions("shop")) as url:
        yield url


@pytest.fixture
def asker(publisher: str) -> Iterator[Asker]:
    one = Asker(publisher)
    yield one
    one.close()


def job(job_type: str, payload: dict[str, Any] | None = None, **said: Any) -> bytes:
    return json.dumps({"type": job_type, "payload": payload or {}, **said}).encode()


ASKED: dict[str, tuple[bytes, str, str, str | None, str | None]] = {
    # what is asked: body, key, and of the answer the state, the reason and a word of the error
    "done": (job("echo", {"n": 1}), "job.echo.p5", "completed", None, None),
    "without hope": (job("hopeless"), "job.hopeless.p5", "failed", "permanent", "no such page"),
    "too late": (job("echo", expires_at=datetime.now(UTC).isoformat()), "job.echo.p5", "expired", None, None),
    "not JSON": (b"{", "job.echo.p5", "refused", "malformed", "body"),
    "a typo": (job("echo", prioriti=1), "job.echo.p5", "refused", "malformed", "prioriti"),
    "against the schema": (job("nap", {"seconds": "x"}), "job.nap.p5", "refused", "malformed", "payload.seconds"),
    "a mistyped key": (job("echo"), "jobs.echo.p5", "refused", "unroutable", "routing_key"),
    "an unknown type": (job("ehco"), "job.ehco.p5", "refused", "unroutable", "did you mean echo"),
}


async def test_every_outcome_and_every_refusal_is_told_once(asker: Asker) -> None:
    """
    Refusals are met by the recorder and by a worker; a second answer would have come before the marker's.
    """
    asked = {asker.ask(body, key): name for name, (body, key, *_) in ASKED.items()}
    told = await asyncio.to_thread(asker.answers, len(asked))
    asker.ask(job("echo"), "job.echo.p1")
    told += await asyncio.to_thread(asker.answers, 1)
    found = {asked.get(properties.correlation_id, "marker"): answer for properties, answer in told}
    wanted = {name: (state, reason) for name, (_, _, state, reason, _) in ASKED.items()}

    assert len(ASKED) + 1 == len(told)
    assert wanted | {"marker": ("completed", None)} == {n: (a["state"], a["reason"]) for n, a in found.items()}
    assert [] == [name for name, (*_, word) in ASKED.items() if word and word not in found[name]["error"]["message"]]
    assert {"n": 1} == found["done"]["result"]


async def test_a_job_that_is_cancelled_while_it_waits_is_told(api: Api, asker: Asker) -> None:
    job_id = asker.ask(job("echo", delay=600), "job.echo.p5", correlation_id="my own")
    waiting = await api.job(await api.born(job_id))
    await api.client.post(f"/api/v1/jobs/{job_id}/cancel")
    ((properties, answer),) = await asyncio.to_thread(asker.answers, 1)

    assert ("amq.rabbitmq.reply-to", "my own") == (waiting["reply_to"], waiting["correlation_id"])
    assert ("my own", job_id, "cancelled") == (properties.correlation_id, answer["id"], answer["state"])


async def test_the_answer_continues_the_trace(asker: Asker) -> None:
    asker.ask(job("echo"), "job.echo.p5", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    ((properties, answer),) = await asyncio.to_thread(asker.answers, 1)

    assert (TRACE, TRACE) == (answer["trace_id"], properties.headers["traceparent"].split("-")[1])


async def test_who_asks_again_after_a_lost_connection_is_told_and_the_job_runs_once(
    api: Api, publisher: str, asker: Asker, tmp_path: Path
) -> None:
    """
    While it runs and after it has ended.
    """
    first, door = Asker(publisher), tmp_path / "door"
    body = job("hold", {"opens": str(door)})
    job_id = first.ask(body, "job.hold.p5")
    await eventually(lambda: _state(api, job_id, "running"))
    first.close()
    told = []
    for time in ("second", "third"):
        asker.ask(body, "job.hold.p5", message_id=job_id, correlation_id=time)
        door.touch()
        told += await asyncio.to_thread(asker.answers, 1)

    assert [(job_id, "completed", 1)] * 2 == [(a["id"], a["state"], a["result"]["starts"]) for _, a in told]


async def test_an_answer_waits_in_a_queue_of_ones_own(home: Places, stack: Stack, rabbit: Rabbit) -> None:
    queue = f"clerk.{uuid.uuid4()}"
    with shop.login(home, shop.permissions("clerk")) as url:
        clerk = Asker(url, queue)
        for tag in clerk.channel.consumer_tags:
            clerk.channel.basic_cancel(tag)
        job_id = clerk.ask(job("echo"), "job.echo.p5")
        await eventually(lambda: rabbit.ready(queue))
        _, properties, body = clerk.channel.basic_get(queue, auto_ack=True)
        clerk.channel.queue_delete(queue)
        clerk.close()

    assert (job_id, 2, "completed") == (properties.correlation_id, properties.delivery_mode, json.loads(body)["state"])


@pytest.mark.parametrize("queue", ["births", "dead", "unrouted", "warren.epoch", "work.default", "delay.03"])
async def test_warren_is_not_made_to_write_into_its_own_queues(api: Api, asker: Asker, queue: str) -> None:
    message_id = asker.ask(job("echo"), "job.echo.p5", reply_to=queue)
    found = await eventually(
        lambda: api.sql("SELECT reason, detail FROM dead_letters WHERE message_id = $1", message_id)
    )

    assert [("malformed", True)] == [(letter["reason"], letter["detail"].startswith("reply_to: ")) for letter in found]
    assert [] == await api.sql("SELECT 1 FROM replies WHERE reply_to = $1", queue)


FORBIDDEN: dict[str, Any] = {
    "declare a queue": lambda channel: channel.queue_declare("mine"),
    "read a work queue": lambda channel: channel.basic_get("work.default"),
    "publish past the door": lambda channel: channel.basic_publish("jobs", "job.echo.p5", b"{}"),
    "publish into a queue": lambda channel: channel.basic_publish("", "births", b"{}"),
    "bind": lambda channel: channel.queue_bind("births", "jobs.in", "#"),
    "delete the door": lambda channel: channel.exchange_delete("jobs.in"),
    "publish another type": lambda channel: channel.basic_publish("jobs.in", "job.nap.p5", b"{}"),
}


async def test_the_page_s_user_may_do_nothing_else(home: Places, stack: Stack) -> None:
    with shop.login(home, shop.permissions("shop"), shop.topic_permissions()) as url:
        refused = {name: await asyncio.to_thread(_refusal, url, act) for name, act in FORBIDDEN.items()}

    assert dict.fromkeys(FORBIDDEN, 403) == refused


def _refusal(url: str, act: Any) -> int | None:
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        try:
            act(channel)
        except pika.exceptions.ChannelClosedByBroker as e:
            return int(e.reply_code)
    return None


async def _state(api: Api, job_id: str, state: str) -> bool:
    return bool(await api.sql("SELECT 1 FROM jobs WHERE id = $1 AND state = $2", job_id, state))
