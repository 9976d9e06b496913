"""All that is asked about frontiers, once; see everything.py."""

from __future__ import annotations

from uuid import UUID, uuid4

from persistence.frontiers.forget import forget_frontiers
from persistence.frontiers.frontier import Found, Frontier
from persistence.store.database import Database


def links(*urls: str, depth: int = 1) -> list[Found]:
    return [Found(f"https://example.org/{url}", depth) for url in urls]


async def opened(database: Database, job_id: UUID | None = None, lease: int = 1) -> Frontier:
    made = Frontier(database, job_id or uuid4(), lease)
    await made.open()
    return made


async def frontiers_are_asked_about(database: Database) -> None:
    frontier = await opened(database)
    await frontier.begin(links("a", depth=0), 10)
    following = await frontier.next()
    assert following is not None
    await frontier.read(following.ordinal, {"title": "A"}, following.url, links("b", "c"), 10)
    await frontier.size()
    await frontier.all()
    await frontier.close()
    await forget_frontiers(database, 10)
