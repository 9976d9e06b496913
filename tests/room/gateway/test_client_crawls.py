"""A client asks for articles, and knows of each what was read."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from gateway.client.blocking import SyncClient
from gateway.client.calls import Client
from gateway.client.failures import CrawlFailed, CrawlStillOpen, NotConfirmed, NotFound
from persistence.articles.article import Content
from tests.room.gateway.running import Running
from tests.room.gateway.stumbling import Stumbling
from tests.room.gateway.test_crawls import fresh_host, jobs_of, read
from wire.errors import Refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_crawl_is_made_once_however_often_its_answer_is_lost(
    running: Running, proxy: Stumbling, client: Client
) -> None:
    host = fresh_host()
    proxy.lose = 2
    crawl = await client.crawl(
        [f"{host}/a", {"url": f"{host}/b", "source": "wire", "priority": "high"}], max_age=timedelta(hours=1)
    )
    jobs = await jobs_of(running, str(crawl.id))

    assert ("PENDING", 2, 2, 0, True) == (
        crawl.state, crawl.total_articles, crawl.new_articles, crawl.cached_articles, crawl.duplicate,
    )  # fmt: skip
    assert (5, 8, "wire", 3600.0) == (
        jobs[f"{host}/a"]["priority"], jobs[f"{host}/b"]["priority"], jobs[f"{host}/b"]["source"],
        jobs[f"{host}/a"]["max_age"],
    )  # fmt: skip


async def test_a_crawl_is_waited_for_and_read(running: Running, client: Client) -> None:
    host = fresh_host()
    crawl = await client.crawl([f"{host}/a", f"{host}/b"])
    with pytest.raises(CrawlStillOpen, match=rf"crawl {crawl.id}: 2 of 2 articles are pending after 0 s; wait for it"):
        await client.wait_for_crawl(crawl.id, within=0)
    waiting = asyncio.create_task(client.wait_for_crawl(crawl.id, within=30))
    await read(running, str(crawl.id), a=Content("A", text="a", links=("https://example.org/",)))
    status = await waiting
    page = await client.crawl_results(crawl.id)
    first = await client.crawl_results(crawl.id, limit=1)
    rest = await client.crawl_results(crawl.id, limit=1, cursor=first.next_cursor)

    assert ("COMPLETED", 1, 1) == (status.state, status.completed, status.failed)
    assert [("A", "a", ("https://example.org/",))] == [(one.title, one.content, one.links) for one in page.articles]
    assert ["HTTP 404"] == [one.error for one in page.failed_articles]
    assert (page.articles, page.failed_articles) == (first.articles, rest.failed_articles)
    assert status.completed_at


async def test_a_crawl_of_which_nothing_could_be_read_has_failed(running: Running, client: Client) -> None:
    crawl = await client.crawl([f"{fresh_host()}/a"])
    await read(running, str(crawl.id))
    with pytest.raises(CrawlFailed, match=r"all 1 articles have failed"):
        await client.wait_for_crawl(crawl.id)


async def test_a_crawl_is_deleted_once_however_often_its_answer_is_lost(proxy: Stumbling, client: Client) -> None:
    crawl = await client.crawl([f"{fresh_host()}/a"])
    proxy.lose = 1
    await client.delete_crawl(crawl.id)

    with pytest.raises(NotFound):
        await client.crawl_status(crawl.id)
    with pytest.raises(NotFound):
        await client.delete_crawl(uuid4())


async def test_a_bad_address_is_told_by_its_place(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        await client.crawl(["https://example.org/", "example.org"])

    assert "articles[1].url" == refused.value.field


async def test_a_crawl_that_nobody_confirms_is_told_with_its_id(proxy: Stumbling) -> None:
    proxy.lose = 100
    async with Client(proxy.url, patience_seconds=0.3) as hasty:
        with pytest.raises(NotConfirmed, match=r"that the crawl is safe: .* submit it again with id="):
            await hasty.crawl([f"{fresh_host()}/a"])
    proxy.lose = 0


async def test_a_program_without_a_loop_does_the_same(running: Running) -> None:
    def crawl_and_delete() -> tuple[str, int]:
        with SyncClient(f"http://127.0.0.1:{running.port}") as warren:
            crawl = warren.crawl([f"{fresh_host()}/a"])
            status, page = warren.crawl_status(crawl.id), warren.crawl_results(crawl.id)
            warren.delete_crawl(crawl.id)
            return status.state, len(page.articles)

    assert ("PENDING", 0) == await asyncio.to_thread(crawl_and_delete)
