"""Whatever is published at the public door becomes a job or exactly one dead letter, and nobody dies of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections import Counter, defaultdict

import pika

from tests.eventually import eventually
from tests.faults.strangers import Stranger
from tests.journey.api import Api
from tests.journey.garbled import Garbler
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

QUEUES = ("births", "dead", "unrouted", "work.default")
Message = tuple[str, bytes]  # its id and its bytes: two that are alike in both are one
Names = dict[Message, list[str]]


async def test_garbled_messages_become_jobs_or_one_dead_letter_each(
    api: Api, stack: Stack, rabbit: Rabbit, long: bool
) -> None:
    """
    A failure names the seed and the place of the message.
    """
    seeds, each = (range(40), 500) if long else (range(1), 400)
    sent = {
        f"garbled {seed} {place}": message
        for seed in seeds
        for place, message in enumerate(map(Garbler(seed).message, range(each)))
    }
    sizes, alive = stack.log_sizes(), stack.worker_pids()
    names = _names({name: sent[name] for name in await asyncio.to_thread(_publish, stack.amqp_url, sent)})
    await eventually(lambda: _drained(rabbit), within=300)
    for job_type in ("echo", "tell"):  # whoever meets these has met all that were sent before
        await _pass_marker(api, rabbit, job_type)
    await eventually(lambda: _drained(rabbit))
    with contextlib.suppress(AssertionError):  # which have not is told below
        await eventually(lambda: _have_ended(api, names))
    ends = await _ends(api, names)

    assert len(names) > 0.8 * len(sent)
    assert {} == {names[message][0]: count for message, count in ends.items() if count != 1}
    assert alive == stack.worker_pids()
    assert "not_understood" not in stack.last_words(sizes, lines=10_000)


def _publish(amqp_url: str, sent: dict[str, Stranger]) -> list[str]:
    """Those that RabbitMQ took; over some it closes the sender's channel, and over some it trips itself."""
    taken: list[str] = []
    left = iter(sent.items())
    while len(taken) < len(sent):
        try:
            with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
                channel = connection.channel()
                channel.confirm_delivery()
                for name, one in left:
                    channel.basic_publish(one.exchange, one.key, one.body, one.raw())
                    taken.append(name)
                return taken
        except pika.exceptions.AMQPError:
            continue  # with the next one
    return taken


def _names(sent: dict[str, Stranger]) -> Names:
    names: Names = defaultdict(list)
    for name, message in sent.items():
        raw = message.properties.get("message_id")
        said = raw[1:].decode("utf-8", "replace") if raw else message.message_id
        names[said.replace("\0", "\ufffd"), message.body].append(name)  # as a dead letter keeps it
    return names


async def _ends(api: Api, names: Names) -> dict[Message, int]:
    """How many jobs and dead letters each message has become."""
    rows = await api.sql("SELECT headers -> 'properties' ->> 'app_id' AS name FROM dead_letters")
    letters = Counter(row["name"] for row in rows)
    jobs = {row["id"] for row in await api.sql("SELECT id FROM jobs")}
    return {
        message: sum(letters[name] for name in alike) + (_uuid(message[0]) in jobs) for message, alike in names.items()
    }


async def _have_ended(api: Api, names: Names) -> bool:
    return all((await _ends(api, names)).values())


async def _pass_marker(api: Api, rabbit: Rabbit, job_type: str) -> None:
    marker = str(uuid.uuid4())
    body = json.dumps({"type": job_type, "payload": {}}).encode()
    await rabbit.publish("jobs.in", f"job.{job_type}.p1", body, message_id=marker, delivery_mode=2)
    await api.finished(await api.born(marker))


async def _drained(rabbit: Rabbit) -> bool:
    return not any([await rabbit.ready(queue) for queue in QUEUES])


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
