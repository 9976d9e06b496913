"""All that is asked about hosts, once; see everything.py."""

from __future__ import annotations

from uuid import UUID, uuid4

from persistence.accepting.outbox import Post
from persistence.hosts import calls, robots, turns
from persistence.hosts.robots import Robots
from persistence.hosts.turns import Asking, Leaving, Left, Turn
from persistence.store.database import Database

LONGEST = 60.0
DELAY = 30.0  # so long that no load of the machine comes near it


def asking(host: str, job_id: UUID, **said: object) -> Asking:
    values = {"lease": 1, "priority": 5, "delay_seconds": DELAY, "visit_seconds": 30.0, **said}
    return Asking(host, job_id, **values)  # type: ignore[arg-type]


def leaving(host: str, job_id: UUID, **said: object) -> Leaving:
    return Leaving(host, job_id, **{"lease": 1, "seconds": 0.1, **said})  # type: ignore[arg-type]


async def ask(database: Database, *all_of_them: Asking, concurrency: int = 1) -> list[Turn]:
    """As the gate does; the answers in the order in which they asked."""
    delays = {one.host: one.delay_seconds for one in all_of_them}
    async with database.transaction() as transaction:
        await turns.lock(transaction, delays, concurrency)
        answers = await turns.ask(transaction, all_of_them)
    return [answers[one.host, one.job_id] for one in all_of_them]


async def leave(database: Database, *all_of_them: Leaving, longest: float = LONGEST) -> tuple[Left, list[Post]]:
    """As the gate does, of one host: how it is asked now, and who is called."""
    async with database.transaction() as transaction:
        hosts = sorted({one.host for one in all_of_them})
        await turns.lock_known(transaction, hosts)
        left = await turns.leave(transaction, all_of_them, longest)
        posts = await calls.call(transaction, [host for host in hosts if left[host].has_line])
    return left[hosts[0]], posts


async def hosts_are_asked_about(database: Database) -> None:
    host, job, other = f"https://{uuid4()}.example", uuid4(), uuid4()
    await ask(database, asking(host, job), asking(host, other))
    await leave(database, leaving(host, job))
    await calls.call_quiet(database)
    await robots.keep(database, host, Robots("", None, 60.0))
    await robots.read(database, host)
