"""What a visit makes of what a host says: its robots.txt, its refusals, its redirects.  There is no lane."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from uuid import uuid4

import pytest
import pytest_asyncio

from actors.context import Context, InnerDoor, current
from actors.ends import PermanentError, RetryAfter, Snooze
from actors.trades.outbound.document import Document
from actors.trades.outbound.guard import Guard
from actors.trades.politeness.robots import MOST_BYTES
from actors.trades.politeness.visit import visit
from persistence.hosts.gate import Gate
from persistence.store.database import Database
from tests.eventually import eventually
from tests.room.actors.polite_site import Site, site
from wire.settings import Outbound, Politeness
from wire.tracing import Trace

T = TypeVar("T")
ROBOTS = "/robots.txt"
EMPTY = (404, "", b"")


@dataclass
class Jobs:
    """Of one process; each call is an attempt."""

    gate: Gate
    lease: int = 0
    ids: dict[str, Any] = field(default_factory=dict)

    def attempt(self, url: str, name: str = "a") -> asyncio.Task[Document]:
        return self.does(visit(url), name)

    def does(self, work: Awaitable[T], name: str = "a") -> asyncio.Task[T]:
        """In the context of the next attempt of this job."""

        async def run() -> T:
            return await work

        self.lease += 1
        job = Context(
            self.ids.setdefault(name, uuid4()), "visit", "default", 1, 3, 5, Trace.begin(),
            door=cast("InnerDoor", self), lease=self.lease,
        )  # fmt: skip
        surroundings = contextvars.copy_context()
        surroundings.run(current.set, job)
        return asyncio.get_running_loop().create_task(run(), context=surroundings)

    async def comes_in_turn(self, url: str, name: str = "a") -> Document:
        """Sleep as often as asked to."""
        while True:
            try:
                return await self.attempt(url, name)
            except Snooze as e:
                await asyncio.sleep(e.after.total_seconds())


@pytest_asyncio.fixture
async def host() -> AsyncIterator[Site]:
    async with Guard(Outbound(allow=("127.0.0.1",), ports="any", user_agent="warren")), site() as one:
        yield one


@pytest_asyncio.fixture
async def jobs(database: Database) -> AsyncIterator[Jobs]:
    gate = Gate(database, lambda posts: None, Politeness(delay_seconds=0.1))
    await gate.start()
    yield Jobs(gate)
    await gate.stop()


async def test_what_robots_txt_forbids_is_not_asked_for(jobs: Jobs, host: Site) -> None:
    """
    And what it says is asked once, whoever comes.
    """
    host.answers[ROBOTS] = (200, "", b"User-agent: warren\nDisallow: /private\n")
    with pytest.raises(PermanentError, match=r"robots\.txt of http://127\.0\.0\.1:\d+ forbids"):
        await jobs.attempt(f"{host.url}/private/1")
    document = await jobs.comes_in_turn(f"{host.url}/open", "b")

    assert 200 == document.status
    assert [ROBOTS, "/open"] == host.paths


async def test_of_a_long_robots_txt_the_beginning_counts(jobs: Jobs, host: Site) -> None:
    """
    But for the rule in which it ends: cut, it could forbid everything.
    """
    rules = b"User-agent: *\nDisallow: /private\n"
    host.answers[ROBOTS] = (200, "", rules.ljust(MOST_BYTES - 11, b"#") + b"\nDisallow: /what-is-cut-off\n" * 9_000)
    with pytest.raises(PermanentError):
        await jobs.attempt(f"{host.url}/private")
    document = await jobs.comes_in_turn(f"{host.url}/open", "b")

    assert 200 == document.status
    assert [ROBOTS, "/open"] == host.paths


@pytest.mark.parametrize("status", [500, 429])
async def test_a_robots_txt_that_cannot_be_read_allows_nothing_for_a_while(jobs: Jobs, host: Site, status: int) -> None:
    host.answers[ROBOTS] = (status, "", b"")
    with pytest.raises(RetryAfter, match=rf"cannot be read \(HTTP {status}\)") as first:
        await jobs.attempt(f"{host.url}/a")
    with pytest.raises(RetryAfter):
        await jobs.attempt(f"{host.url}/a", "b")

    assert [ROBOTS] == host.paths
    assert 60 == first.value.after.total_seconds()


async def test_a_crawl_delay_is_kept(jobs: Jobs, host: Site) -> None:
    host.answers[ROBOTS] = (200, "", b"User-agent: *\nCrawl-delay: 0.8\n")
    for name in "ab":
        await jobs.comes_in_turn(f"{host.url}/{name}", name)

    assert [ROBOTS, "/a", "/b"] == host.paths
    assert 0.8 <= host.gaps[1]


async def test_a_refusal_is_tried_again_when_the_host_says(jobs: Jobs, host: Site) -> None:
    """
    Nobody else asks it meanwhile.
    """
    host.answers["/a"] = (429, "Retry-After: 40\r\n", b"")
    with pytest.raises(RetryAfter, match="429") as refused:
        await jobs.attempt(f"{host.url}/a")
    with pytest.raises(Snooze) as asleep:
        await jobs.attempt(f"{host.url}/b", "b")

    assert 39 < refused.value.after.total_seconds() <= 40
    assert 39 < asleep.value.after.total_seconds()


async def test_a_redirect_is_a_request_of_its_own(jobs: Jobs, host: Site) -> None:
    """
    At the same host it waits out the delay; at another it obeys that one's robots.txt.
    """
    async with site() as other:
        host.answers["/a"] = (302, "Location: /b\r\n", b"")
        host.answers["/b"] = (302, f"Location: {other.url}/c\r\n", b"")
        other.answers[ROBOTS] = (200, "", b"User-agent: *\nDisallow: /secret\n")
        document = await jobs.attempt(f"{host.url}/a")
        host.answers["/d"] = (302, f"Location: {other.url}/secret\r\n", b"")
        with pytest.raises(PermanentError, match=other.url):
            await jobs.comes_in_turn(f"{host.url}/d", "b")

    assert (200, f"{other.url}/c") == (document.status, document.final_url)
    assert [ROBOTS, "/a", "/b", "/d"] == host.paths
    assert [ROBOTS, "/c"] == other.paths
    assert 0.1 <= min(*host.gaps, *other.gaps)


async def test_a_robots_txt_may_lie_at_another_host_which_is_asked_in_turn(jobs: Jobs, host: Site) -> None:
    async with site() as other:
        host.answers[ROBOTS] = (301, f"Location: {other.url}/theirs\r\n", b"")
        other.answers["/theirs"] = (302, "Location: /robots\r\n", b"")
        other.answers["/robots"] = (200, "", b"User-agent: *\nDisallow: /no\n")
        await jobs.comes_in_turn(f"{host.url}/yes")
        with pytest.raises(PermanentError):
            await jobs.comes_in_turn(f"{host.url}/no")

    assert [ROBOTS, "/yes"] == host.paths
    assert ["/theirs", "/robots"] == other.paths
    assert 0.1 <= min(*host.gaps, *other.gaps)


async def test_what_a_job_does_at_once_it_does_in_turn(jobs: Jobs, host: Site) -> None:
    """
    It has begun, so it waits where it is: to sleep would mean to ask again what was asked.
    """

    async def several() -> list[Document]:
        first = await visit(f"{host.url}/0")
        return [first, *await asyncio.gather(*(visit(f"{host.url}/{n}") for n in (1, 2)))]

    documents = await jobs.does(several())

    assert [b"/0", b"/1", b"/2"] == [document.body for document in documents]
    assert 1 == host.most_at_once
    assert 0.1 <= min(host.gaps)


async def test_who_is_cancelled_leaves_no_turn_behind(jobs: Jobs, host: Site, database: Database) -> None:
    await jobs.attempt(f"{host.url}/")
    host.slow["/slow"] = 30.0
    visiting = jobs.attempt(f"{host.url}/slow")
    await eventually(lambda: "/slow" in host.paths)
    visiting.cancel()
    await asyncio.wait([visiting])

    await eventually(lambda: _nobody(database))
    assert visiting.cancelled()


async def _nobody(database: Database) -> bool:
    row = await database.fetch_one("SELECT count(*) AS n FROM host_turns")
    return row is not None and row["n"] == 0
