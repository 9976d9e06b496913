"""Everybody who is measured: how each is run, where it leaves its outcomes, and in which configuration.

Two processes do the work in each.  A slow one drains fewer jobs, so that a whole run stays bearable; it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

OUTCOMES = "SELECT count(*) AS done, extract(epoch FROM max(at) - min(at))::float8 AS took FROM outcomes"
HOME = "tests.bench.peers"


def words(command: str) -> tuple[str, ...]:
    return tuple(command.split())


@dataclass(frozen=True, slots=True)
class Peer:
    """One that runs as its own commands and is no part of Warren."""

    name: str
    module: str
    needs: tuple[str, ...]  # distributions
    workers: tuple[tuple[str, ...], ...]  # what follows `python -m`
    outcomes: str  # a statement: `done`, and the seconds that they `took`
    configured: str
    share: float = 1.0  # of the jobs that the fast ones drain

    def version(self) -> str | None:
        """None when it is not installed."""
        try:
            versions = [metadata.version(name) for name in self.needs]
        except metadata.PackageNotFoundError:
            return None
        return versions[0]


BARE = Peer(
    name="bare aio-pika loop",
    module=f"{HOME}.bare",
    needs=("aio-pika",),
    workers=((f"{HOME}.bare",),) * 2,
    outcomes=OUTCOMES,
    configured="no claims, no retries, no types: decode, one insert for what came meanwhile, one ack for all of them",
)
DRAMATIQ = Peer(
    name="Dramatiq",
    module=f"{HOME}.dramatiq",
    needs=("dramatiq", "psycopg"),
    workers=(words(f"dramatiq {HOME}.dramatiq --processes 2 --threads 8"),),
    outcomes=OUTCOMES,
    configured="2 processes of 8 threads (its default), publishes confirmed, one insert a job by the actor itself",
)
TASKIQ = Peer(
    name="Taskiq",
    module=f"{HOME}.taskiq",
    needs=("taskiq", "taskiq-aio-pika", "taskiq-postgres"),
    workers=(
        words(
            f"taskiq worker {HOME}.taskiq:broker --workers 2 --ack-type when_saved "
            "--max-async-tasks 200 --log-level WARNING"  # at its INFO a line a job
        ),
    ),
    outcomes=OUTCOMES.replace("outcomes", "taskiq_results"),
    configured="2 workers on uvloop, acked when saved, prefetch 200, results over 8 asyncpg connections, classic queue",
)
CELERY = Peer(
    name="Celery",
    module=f"{HOME}.celery",
    needs=("celery", "sqlalchemy", "psycopg"),
    workers=(
        words(f"celery -A {HOME}.celery worker --concurrency 2 --loglevel WARNING --without-gossip --without-mingle"),
    ),
    outcomes=(
        "SELECT count(*) AS done, extract(epoch FROM max(date_done) - min(date_done))::float8 AS took "
        "FROM celery_taskmeta WHERE status = 'SUCCESS'"
    ),
    configured="prefork, 2 processes, acks_late, reject_on_worker_lost, prefetch 64 each, SQLAlchemy result backend",
    share=1 / 6,
)
PROCRASTINATE = Peer(
    name="Procrastinate",
    module=f"{HOME}.procrastinate",
    needs=("procrastinate",),
    workers=(words(f"procrastinate --app {HOME}.procrastinate.app worker --concurrency 10"),) * 2,
    outcomes=(
        "SELECT count(*) AS done, extract(epoch FROM max(at) - min(at))::float8 AS took "
        "FROM procrastinate_events WHERE type = 'succeeded'"
    ),
    configured="2 workers of concurrency 10, woken by notifications; Postgres is the queue, no RabbitMQ",
    share=1 / 6,
)
PEERS = (DRAMATIQ, TASKIQ, CELERY, PROCRASTINATE)
