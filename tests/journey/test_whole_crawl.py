"""The whole crawl, judged by the site that was crawled: its log says who asked what when, its truths what was there.

One request at a time for each host and a pause after each answer, whatever the number of worker processes: two, and
four in the long form.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from actors.trades.reading.readers import PATIENCE_SECONDS
from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.api import FINAL, Api
from tests.journey.stack import Stack, running_stack
from tests.site.articles import article
from tests.site.asked import gaps, most_at_once
from tests.site.quality import overlap, same
from tests.site.served import Site

CRAWLS = "/api/v1/crawls"
HOSTILE = (
    "/redirect/loop", "/redirect/endless/0", "/redirect/metadata", "/redirect/file", "/redirect/credentials",
    "/redirect/nonsense", "/redirect/empty", "/slow/headers", "/slow/body", "/slow/silent", "/huge/body",
    "/huge/headers", "/huge/many", "/huge/declared", "/bomb/gzip", "/bomb/twice", "/bomb/br", "/bomb/zstd",
    "/bomb/deep", "/bomb/wide", "/bomb/attributes", "/bomb/unclosed", "/broken/length", "/broken/chunk",
    "/broken/status", "/broken/header", "/broken/reset", "/broken/nothing", "/broken/lie", "/kinds/pdf", "/kinds/json",
    "/kinds/empty",
    "/kinds/blank", "/status/410", "/status/204",
)  # fmt: skip
DELAY_SECONDS = 0.25
# One process reads them all, and four take what it allows: ten seconds of processor each, or sixty by the clock
LONGEST_READING_SECONDS = 4 * PATIENCE_SECONDS


@pytest.fixture(scope="module")
def stack(places: Places, site: Site, tmp_path_factory: pytest.TempPathFactory, long: bool) -> Iterator[Stack]:
    """One that may ask the site."""
    folder = tmp_path_factory.mktemp("stack")
    said = {
        "WARREN_OUTBOUND_ALLOW": site.allowed,
        "WARREN_HOST_DELAY_SECONDS": str(DELAY_SECONDS),
        "SCRAPER_TIMEOUT": "10",  # what is too late is asked for once more, which is honest, and counted
    }
    with running_stack(places.amqp_url, places.database_url, folder, workers=4 if long else 2, **said) as one:
        yield one


async def made(api: Api, urls: list[str], **said: Any) -> dict[str, Any]:
    """What the gateway answers to a crawl of these."""
    articles = [{"url": url, "source": "gazette", "category": "proofs"} for url in urls]
    response = await api.client.post(CRAWLS, json={"articles": articles, **said})

    assert 201 == response.status_code, response.text
    return dict(response.json())


async def ended(api: Api, crawl: dict[str, Any], within: float = 120) -> dict[str, Any]:
    """Its status when nothing of it is pending."""

    async def told() -> dict[str, Any] | None:
        status = await api.get(f"{CRAWLS}/{crawl['job_id']}/status")
        return status if status["status"] in ("COMPLETED", "FAILED") else None

    return await eventually(told, within) or {}


async def read(api: Api, crawl: dict[str, Any]) -> list[dict[str, Any]]:
    """All its lines, in the order in which it was asked for."""
    response = await api.client.get(f"{CRAWLS}/{crawl['job_id']}/results", params={"format": "ndjson"})

    assert 200 == response.status_code, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def number(url: str) -> int:
    return int(url.split("?", maxsplit=1)[0].rpartition("/")[2])


async def test_what_was_read_is_what_the_site_says(api: Api, site: Site) -> None:
    """
    Every layout in every language, some that fail, and copies: the crawl ends, tells each, and asks nothing twice.
    """
    urls = site.article_urls(80, hosts=40, first=1_000)
    wrong = [site.url("/status/404", 31), site.url("/kinds/pdf", 32), site.url("/redirect/metadata", 33)]
    copies = [f"{urls[0]}?utm_source=mail", urls[1].replace("http://", "HTTP://")]
    crawl = await made(api, urls + wrong + copies)
    status = await ended(api, crawl)
    found = {one["url"]: one for one in await read(api, crawl)}
    again = await made(api, urls)
    cached = await ended(api, again)
    asked = Counter(f"http://{one.host}{one.path}" for one in site.asked(path="/articles/10"))

    assert (85, 0) == (crawl["total_articles"], crawl["cached_articles"])
    assert ("COMPLETED", 82, 3, 0) == tuple(status[name] for name in ("status", "completed", "failed", "pending"))
    assert [] == [url for url in urls if not same(article(number(url)).title, found[url]["title"])]
    assert [] == [url for url in urls if overlap(article(number(url)).text, found[url]["content"]).f1 < 0.9]
    assert [] == [url for url in copies if not found[url]["content"]]
    assert {1} == {asked[url] for url in urls}
    assert (80, 0, "COMPLETED") == (again["cached_articles"], again["new_articles"], cached["status"])


async def test_a_host_is_asked_once_at_a_time_and_after_a_pause_by_all_processes(api: Api, site: Site) -> None:
    """
    Three hosts, robots.txt included: from each answer to the next request it is a whole pause, and hosts take turns.
    """
    before = len(site.asked())
    crawl = await made(api, sorted(site.article_urls(24, hosts=3, first=2_000)))
    status = await ended(api, crawl)
    hosts = {site.host(host) for host in (20, 21, 22)}
    asked = [one for one in site.asked()[before:] if one.host in hosts]
    found = gaps(asked)
    workers = await api.sql("SELECT count(DISTINCT worker) FROM attempts WHERE outcome = 'completed'")

    assert ("COMPLETED", 24) == (status["status"], status["completed"])
    assert {8} == set(Counter(one.host for one in asked if one.path.startswith("/articles/20")).values())
    assert [] == [(host, gap) for host, some in found.items() for gap in some if gap < DELAY_SECONDS]
    assert hosts == {one.host for one in asked[:12]}  # asked for host by host, and read by turns
    assert most_at_once(asked) <= 3
    assert 1 < workers[0][0]


async def test_crawls_that_want_the_same_at_once_fetch_it_once(api: Api, site: Site) -> None:
    urls = [f"{url}?ms=300" for url in site.article_urls(12, hosts=12, first=3_000)]
    crawls = await asyncio.gather(*(made(api, urls) for _ in range(3)))
    for crawl in crawls:
        assert 12 == (await ended(api, crawl))["completed"]
    found = [one for crawl in crawls for one in await read(api, crawl)]
    asked = Counter(f"{one.host}{one.path}" for one in site.asked(path="/articles/30"))

    assert {1} == set(asked.values())
    assert 12 == len(asked)
    assert 36 == sum(bool(one["content"]) for one in found)


async def test_what_has_not_changed_is_not_sent_again(api: Api, site: Site) -> None:
    """
    Old enough to be asked for again: the site answers that nothing has changed, or sends the new edition.
    """
    urls = site.article_urls(8, hosts=8, first=4_000)
    await ended(api, await made(api, urls))
    site.change(4_003)
    crawl = await made(api, urls, max_age=0)
    status = await ended(api, crawl)
    found = {number(one["url"]): one for one in await read(api, crawl)}
    second = [one.status for one in site.asked(path="/articles/400")][8:]

    assert (8, 0) == (status["completed"], crawl["cached_articles"])
    assert {304: 7, 200: 1} == Counter(second)
    assert overlap(article(4_003, 1).text, found[4_003]["content"]).f1 > 0.9
    assert overlap(article(4_004).text, found[4_004]["content"]).f1 > 0.9


async def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    api: Api, stack: Stack, site: Site, long: bool
) -> None:
    """
    Killed with requests under way: these alone are asked for again, and each article is told once.
    """
    count = 80 if long else 40
    urls = [f"{url}?ms=150" for url in site.article_urls(count, hosts=40, first=5_000)]
    crawl = await made(api, urls)
    await eventually(lambda: len(site.asked(path="/articles/50")) >= count / 5)
    before = stack.worker_pids()
    os.kill(before[0], signal.SIGKILL)
    status = await ended(api, crawl)
    found = await read(api, crawl)
    asked = Counter(one.path for one in site.asked(path="/articles/50"))

    assert ("COMPLETED", count, 0) == (status["status"], status["completed"], status["failed"])
    assert sorted(urls) == sorted(one["url"] for one in found)
    assert [] == [one["url"] for one in found if overlap(article(number(one["url"])).text, one["content"]).f1 < 0.9]
    assert set(range(5_000, 5_000 + count)) == {number(path) for path in asked}
    assert asked.total() <= count + 40  # at most one request at each host was under way
    await eventually(lambda: before[0] not in (now := stack.worker_pids()) and len(now) == len(before))


async def test_whatever_a_site_answers_ends_with_a_sentence(api: Api, stack: Stack, site: Site) -> None:
    """
    Loops, silence, floods, bombs, half answers: each job fails and says why, and no worker is the worse for it.
    """
    workers = stack.worker_pids()
    said = {path: site.url(path, 20 + number) for number, path in enumerate(HOSTILE)}
    jobs = [await api.submit("scrape_article", {"url": url}, max_retries=0) for url in said.values()]
    await eventually(lambda: _all_ended(api, jobs), within=LONGEST_READING_SECONDS)
    ended = dict(zip(said, await api.all_finished(*jobs), strict=True))
    told = {path: job["error"]["message"] for path, job in ended.items() if job["state"] != "completed"}

    assert set(HOSTILE) - {"/bomb/deep", "/bomb/wide", "/bomb/attributes", "/bomb/unclosed"} <= set(told)
    assert [] == [(path, text) for path, text in told.items() if not 10 < len(text) < 500 or "Traceback" in text]
    assert workers == stack.worker_pids()


async def _all_ended(api: Api, jobs: list[str]) -> bool:
    return all([(await api.job(job_id))["state"] in FINAL for job_id in jobs])


@pytest.mark.long
async def test_ten_thousand_articles(api: Api, site: Site) -> None:
    """
    In one request, over forty hosts: nothing is lost, nothing is asked for twice, hosts take fair turns.
    """
    urls = site.article_urls(10_000, hosts=40, first=10_000)
    crawl = await made(api, urls)
    status = await ended(api, crawl, within=600)
    asked = [one for one in site.asked(path="/articles/1") if 10_000 <= number(one.path) < 20_000]
    half = Counter(one.host for one in asked[:5_000])

    assert ("COMPLETED", 10_000, 0) == (status["status"], status["completed"], status["failed"])
    assert {1} == set(Counter((one.host, one.path) for one in asked).values())
    assert 10_000 == len(asked) == len(await read(api, crawl))
    assert max(half.values()) - min(half.values()) < 25  # of 125 each
