"""A subscriber that hears every message the clock publishes, and when: what a schedule is worth to who waits for it.

Nothing of Warren's own client is used, and no worker is needed.  A message says which due time it is of; what was heard
less what was due is lateness, with the way through RabbitMQ in it.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import pika

EXCHANGE = "jobs"
LOOK_SECONDS = 0.05


class Heard(NamedTuple):
    at: float
    due: float
    schedule_id: str

    @property
    def late(self) -> float:
        return self.at - self.due


class Ear:
    """All that was heard so far."""

    def __init__(self, amqp_url: str, job_type: str) -> None:
        self._url, self._key = amqp_url, f"job.{job_type}.*"
        self._raw: list[tuple[float, bytes]] = []
        self._ready, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __len__(self) -> int:
        return len(self._raw)

    def heard(self) -> list[Heard]:
        """Read when nothing is measured any more: it takes its time."""
        return [Heard(at, *_due(body)) for at, body in list(self._raw)]

    def wait_for(self, messages: int, seconds: float) -> bool:
        """Whether so many came in that time."""
        deadline = time.monotonic() + seconds
        while len(self._raw) < messages and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return len(self._raw) >= messages

    @contextlib.contextmanager
    def open(self) -> Iterator[Ear]:
        self._thread.start()
        if not self._ready.wait(30):
            raise TimeoutError("no subscription within 30 s")
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join(10)

    def _listen(self) -> None:
        with pika.BlockingConnection(pika.URLParameters(self._url)) as connection:
            channel = connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue
            channel.queue_bind(queue, EXCHANGE, self._key)
            channel.basic_consume(queue, self._hear, auto_ack=True)
            self._ready.set()
            while not self._over.is_set():
                connection.process_data_events(LOOK_SECONDS)

    def _hear(self, _channel: Any, _method: Any, _properties: Any, body: bytes) -> None:
        self._raw.append((time.time(), body))


def at(values: Sequence[float], share: float) -> float:
    """The value that so large a share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _due(body: bytes) -> tuple[float, str]:
    said = json.loads(body)["x_schedule"]
    return datetime.fromisoformat(said["due_at"]).timestamp(), str(said["id"])
