"""A frontier holds each address once, and only for the attempt that it belongs to."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from persistence.frontiers.forget import forget_frontiers
from persistence.frontiers.frontier import Found, Frontier, TakenOver
from persistence.store.database import Database
from tests.room.persistence.frontiers_asked import links, opened

FIRST = "https://example.org/a"


async def walked(frontier: Frontier) -> list[str]:
    seen = await frontier.all()
    return [f"{one.url.rpartition('/')[2]} {one.state}" for one in seen]


async def test_an_address_is_found_once_in_the_order_of_links(database: Database) -> None:
    frontier = await opened(database)
    await frontier.begin(links("a", depth=0), 10)
    await frontier.read(1, {}, FIRST, links("b", "a", "c", "b"), 10)
    await frontier.read(2, {}, "https://example.org/b", links("c", "d", "a"), 10)
    following = await frontier.next()

    assert ["a read", "b read", "c waiting", "d waiting"] == await walked(frontier)
    assert following is not None
    assert ("https://example.org/c", 1) == (following.url, following.depth)


async def test_no_more_documents_than_are_wanted(database: Database) -> None:
    frontier = await opened(database)
    await frontier.begin([*links("a", depth=0), Found("https://example.org/sitemap.xml", 0, "sitemap")], 3)
    await frontier.read(1, {}, FIRST, links("b", "c", "d"), 3)
    size = await frontier.size()

    assert ["a read", "sitemap.xml waiting", "b waiting", "c waiting"] == await walked(frontier)
    assert (3, 1, True) == (size.documents, size.done, size.capped)


async def test_where_an_address_leads_is_not_read_again(database: Database) -> None:
    frontier = await opened(database)
    await frontier.begin(links("a", "b", "c", depth=0), 10)
    await frontier.read(1, {}, "https://example.org/c", [], 10)
    await frontier.read(2, {}, "https://example.org/unheard", links("unheard", "d"), 10)
    await frontier.read(5, {}, "https://example.org/unheard", [], 10)
    again = await opened(database)
    await again.begin(links("a", "b", depth=0), 10)
    await again.read(1, {}, FIRST, [], 10)
    await again.read(2, {}, FIRST, [], 10)

    assert ["a read", "b read", "c same", "d same"] == await walked(frontier)
    assert ["a read", "b same"] == await walked(again)


async def test_what_failed_for_now_comes_behind_what_waits(database: Database) -> None:
    frontier = await opened(database)
    await frontier.begin(links("a", "b", depth=0), 10)
    await frontier.failed(1, "busy", again=True)
    following = await frontier.next()
    await frontier.failed(2, "gone", again=False)

    assert following is not None
    assert 2 == following.ordinal
    assert ["a waiting", "b failed"] == await walked(frontier)


async def test_an_attempt_that_was_given_up_adds_nothing(database: Database) -> None:
    job_id = uuid4()
    old = await opened(database, job_id)
    await old.begin(links("a", depth=0), 10)
    new = await opened(database, job_id, lease=2)

    for late in (old.read(1, {}, FIRST, links("b"), 10), old.open()):
        with pytest.raises(TakenOver):
            await late
    assert ["a waiting"] == await walked(new)


async def test_two_that_tell_the_same_document_tell_it_once(database: Database) -> None:
    frontier = await opened(database)
    await frontier.begin(links("a", depth=0), 10)
    await asyncio.gather(*(frontier.read(1, {}, FIRST, links("b", "c"), 10) for _ in range(4)))
    size = await frontier.size()

    assert ["a read", "b waiting", "c waiting"] == await walked(frontier)
    assert (3, 1) == (size.documents, size.done)


async def test_the_frontier_of_a_job_that_has_ended_is_forgotten(database: Database) -> None:
    frontier = await opened(database)
    await frontier.begin(links("a", "b", depth=0), 10)
    kept = await forget_frontiers(database, 10)
    await database.fetch("UPDATE frontiers SET looked_at = looked_at - interval '2 hours'")

    assert (0, 1) == (kept, await forget_frontiers(database, 10))
    assert [] == await frontier.all()
