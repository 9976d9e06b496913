"""Celery on RabbitMQ, acknowledged late, results in Postgres through its own SQLAlchemy backend."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from celery import Celery

from tests.bench.peers import work

DATABASE_URL = os.environ["DATABASE_URL"].replace("postgresql://", "db+postgresql+psycopg://")

app = Celery("bench", broker=os.environ["AMQP_URL"], backend=DATABASE_URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=64,  # the manual: more than its 4 where jobs are short
    task_serializer="json",
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


@app.task(name="noop")
def noop(payload: dict[str, Any]) -> None:
    work.begin(payload)


def preload(jobs: int) -> None:
    payload = work.payload()
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(jobs):
            noop.apply_async((payload,), producer=producer)


@contextlib.contextmanager
def publisher() -> Iterator[Callable[[dict[str, Any]], object]]:
    yield noop.delay
    app.close()
