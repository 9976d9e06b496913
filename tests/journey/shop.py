"""A foreign service's own login at RabbitMQ: what the page allows it, in the words of the page; and what it does."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import pika

from deploy.servers.rabbitmq import manage
from tests.conftest import Places
from tests.journey.stack import ROOT

DIRECT = "amq.rabbitmq.reply-to"
PAGE = (ROOT / "docs" / "amqp.md").read_text()


def permissions(name: str) -> dict[str, object]:
    """`set_permissions -p / name configure write read`, as it stands in the page."""
    configure, write, read = re.search(rf"set_permissions -p / {name} '(.*)' '(.*)' '(.*)'", PAGE).groups()  # type: ignore[union-attr]
    return {"configure": configure, "write": write, "read": read}


def topic_permissions() -> dict[str, object]:
    exchange, write, read = re.search(r"set_topic_permissions -p / shop (\S+) '(.*)' '(.*)'", PAGE).groups()  # type: ignore[union-attr]
    return {"exchange": exchange, "write": write, "read": read}


@contextmanager
def login(home: Places, rights: dict[str, object], topics: dict[str, object] | None = None) -> Iterator[str]:
    """The AMQP address of a user who may do this and nothing else."""
    name, password, vhost = f"shop-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex, quote(home.vhost, safe="")
    manage(home.management_url, "PUT", f"users/{name}", {"password": password, "tags": ""})
    manage(home.management_url, "PUT", f"permissions/{vhost}/{name}", rights)
    if topics:
        manage(home.management_url, "PUT", f"topic-permissions/{vhost}/{name}", topics)
    place = urlsplit(home.amqp_url)
    yield place._replace(netloc=f"{name}:{password}@{place.hostname}:{place.port}").geturl()
    manage(home.management_url, "DELETE", f"users/{name}")


class Asker:
    """A service that publishes jobs and waits for answers, on one channel, with confirms."""

    def __init__(self, amqp_url: str, replies: str = DIRECT) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
        self.channel = self._connection.channel()
        self.channel.confirm_delivery()
        if replies != DIRECT:
            self.channel.queue_declare(replies, durable=True)
        self._replies, self._answers = replies, list[tuple[pika.BasicProperties, bytes]]()
        self.channel.basic_consume(replies, lambda _, __, *told: self._answers.append(told), auto_ack=True)

    def ask(self, body: bytes, key: str, **said: Any) -> str:
        """Its message id, which is its correlation id too unless another is said."""
        plain = {"message_id": str(uuid.uuid4()), "reply_to": self._replies, "delivery_mode": 2}
        properties = pika.BasicProperties(**{**plain, **said})
        self.channel.basic_publish("jobs.in", key, body, properties)
        return str(properties.message_id)

    def answers(self, number: int, within: float = 60.0) -> list[tuple[pika.BasicProperties, dict[str, Any]]]:
        """The next so many, or those that came in time."""
        deadline = time.monotonic() + within
        while len(self._answers) < number and time.monotonic() < deadline:
            self._connection.process_data_events(time_limit=0.1)
        told, self._answers = self._answers, []
        return [(properties, json.loads(body)) for properties, body in told]

    def close(self) -> None:
        self._connection.close()
