"""/api/v1/crawls…: what is known is answered at once, the rest is read once, and every article ends in the results."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import jsonschema_rs
import pytest

from gateway.openapi.crawls import CRAWL, CRAWLS_SHOWN
from persistence.articles.article import Content
from persistence.articles.keep import keep
from persistence.batches.batch_ends import fold
from tests.room.gateway.running import Running, gateway
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

CRAWLS = "/api/v1/crawls"
ENDED = """
UPDATE warren.jobs SET state = $2, finished_at = now(), lease = 1, error_message = 'HTTP 404' WHERE id = $1
"""
ALL_ALIKE = """
WITH known AS (SELECT content_hash FROM warren.crawl_articles WHERE crawl_id = $1 AND content_hash IS NOT NULL),
     ended AS (UPDATE warren.jobs SET state = 'completed', finished_at = now() WHERE batch_id = $1)
UPDATE warren.crawl_articles SET content_hash = (SELECT content_hash FROM known), read_at = now() WHERE crawl_id = $1
"""


def fresh_host() -> str:
    """One that no other test has asked for."""
    return f"https://{uuid4().hex[:12]}.example"


async def crawl(running: Running, *urls: str, status: int = 201, **said: Any) -> dict[str, Any]:
    return await running.post(CRAWLS, status, {"articles": [{"url": url} for url in urls], **said})


async def jobs_of(running: Running, crawl_id: str) -> dict[str, dict[str, Any]]:
    """Its jobs by the addresses that they are to read, in the order of their messages."""
    rows = await running.sql("SELECT id, priority, body FROM warren.jobs WHERE batch_id = $1 ORDER BY id", crawl_id)
    jobs = [{"id": row["id"], "priority": row["priority"], **json.loads(row["body"])["payload"]} for row in rows]
    return {job["url"]: job for job in jobs}


async def read(running: Running, crawl_id: str, **told: Content) -> None:
    """As workers would: what is told of a page's last step is kept, other pages cannot be read."""
    for url, job in (await jobs_of(running, crawl_id)).items():
        content = told.get(url.rpartition("/")[2])
        if content is not None:
            await keep(running.room.database, url, job["id"], content, body_hash=b"body")
        state = "failed" if content is None else "completed"
        await running.sql(ENDED, job["id"], state)
    while (await fold(running.room.database))[0]:
        pass


async def status_of(running: Running, crawl_id: str) -> dict[str, Any]:
    return await running.get(f"{CRAWLS}/{crawl_id}/status")


async def test_a_crawl_is_taken_with_a_job_for_each_article(running: Running) -> None:
    host = fresh_host()
    articles = [
        {"url": f"{host}/a?utm_source=x#top", "source": "wire", "category": "tech", "priority": "high"},
        {"url": f"{host}/b"},
    ]
    async with running.client.post(CRAWLS, json={"articles": articles, "max_age": 60}) as response:
        answer = await response.json()
        location = response.headers["Location"]
    jobs = await jobs_of(running, answer["job_id"])
    status = await running.get(location)

    assert (201, "PENDING", 2, 2, 0) == (response.status, *[answer[n] for n in list(answer)[1:5]])
    assert ["job_id", "status", "total_articles", "new_articles", "cached_articles", "message"] == list(answer)[:6]
    assert "2 articles to read" == answer["message"]
    assert {"id", "priority", "url", "source", "category", "max_age", "content"} == jobs[f"{host}/a"].keys()
    assert (8, 60.0, 5) == (jobs[f"{host}/a"]["priority"], jobs[f"{host}/b"]["max_age"], jobs[f"{host}/b"]["priority"])
    assert ("PENDING", 0, 0, 2, None) == tuple(
        status[name] for name in ("status", "completed", "failed", "pending", "completed_at")
    )
    assert 2 == (await running.get(answer["links"]["batch"]))["counts"]["total"]


async def test_what_was_read_is_told_and_what_could_not_be_too(running: Running) -> None:
    host = fresh_host()
    made = await running.post(
        CRAWLS,
        201,
        {"articles": [{"url": f"{host}/{n}", "source": "wire", "category": "tech"} for n in ("gone", "rain")]},
    )
    await running.sql("UPDATE warren.jobs SET state = 'running', lease = 1 WHERE batch_id = $1", made["job_id"])
    begun = await status_of(running, made["job_id"])
    rain = Content("Rain", "Ada", "2026-11-21", "en", "It rains.", ("https://i.example/1.png",), (), 2, {"links": 0.5})
    await read(running, made["job_id"], rain=rain)
    status = await status_of(running, made["job_id"])
    results = await running.get(made["links"]["results"])
    (article,), (failed,) = results["articles"], results["failed_articles"]

    assert ("IN_PROGRESS", 2) == (begun["status"], begun["pending"])
    assert ("COMPLETED", 1, 1, 0) == tuple(status[n] for n in ("status", "completed", "failed", "pending"))
    assert datetime.fromisoformat(status["completed_at"]) <= datetime.fromisoformat(status["updated_at"])
    assert (f"{host}/rain", "wire", "tech", "Rain", "It rains.", False) == tuple(
        article[name] for name in ("url", "source", "category", "title", "content", "cached")
    )
    assert ("Ada", "2026-11-21", "en", 2, ["https://i.example/1.png"], [], {"links": 0.5}) == tuple(
        article[n] for n in ("author", "published_at", "language", "word_count", "images", "links", "quality")
    )
    assert datetime.fromisoformat(article["scraped_at"])
    assert (f"{host}/gone", "HTTP 404") == (failed["url"], failed["error"])
    assert datetime.fromisoformat(failed["attempted_at"])
    assert results["next_cursor"] is None


async def test_a_crawl_has_failed_only_if_all_its_articles_have(running: Running) -> None:
    made = await crawl(running, f"{fresh_host()}/a", f"{fresh_host()}/b")
    await read(running, made["job_id"])

    assert "FAILED" == (await status_of(running, made["job_id"]))["status"]


async def test_what_has_failed_is_read_once_more_by_a_retry_of_its_batch(running: Running) -> None:
    made = await crawl(running, f"{fresh_host()}/a", f"{fresh_host()}/b")
    await read(running, made["job_id"], a=Content("A", text="a"))
    await running.post(f"{made['links']['batch']}/retry")
    again = await status_of(running, made["job_id"])
    await running.sql("DELETE FROM warren.outbox")
    await read(running, made["job_id"], a=Content("A", text="a"), b=Content("B", text="b"))
    done = await status_of(running, made["job_id"])
    results = await running.get(made["links"]["results"])

    assert ("IN_PROGRESS", 1, 0, 1, None) == tuple(
        again[name] for name in ("status", "completed", "failed", "pending", "completed_at")
    )
    assert ("COMPLETED", 2, 0, 0) == tuple(done[name] for name in ("status", "completed", "failed", "pending"))
    assert (["A", "B"], []) == ([one["title"] for one in results["articles"]], results["failed_articles"])


async def test_what_was_read_lately_costs_no_job(running: Running) -> None:
    host = fresh_host()
    first = await crawl(running, f"{host}/a")
    await read(running, first["job_id"], a=Content("A", text="a"))
    second = await crawl(running, f"{host}/a/./?", f"{host}/a#x", f"{host}/A", max_age=3600)
    third = await crawl(running, f"{host}/a", max_age=0)
    known = await crawl(running, f"{host}/a")
    results = await running.get(known["links"]["results"])
    status = await status_of(running, known["job_id"])

    assert (2, 1) == (second["new_articles"], second["cached_articles"])  # a slash at its end makes another page
    assert (1, 0) == (third["new_articles"], third["cached_articles"])
    assert ("COMPLETED", 0, 1) == tuple(known[n] for n in ("status", "new_articles", "cached_articles"))
    assert "the article is known: it was read before" == known["message"]
    assert {} == await jobs_of(running, known["job_id"])
    assert [("A", True, None)] == [(one["title"], one["cached"], one["job_id"]) for one in results["articles"]]
    assert (1, 0, 0, status["created_at"]) == tuple(
        status[n] for n in ("completed", "failed", "pending", "completed_at")
    )


async def test_an_older_crawl_tells_what_was_read_for_it(running: Running) -> None:
    host = fresh_host()
    older = await crawl(running, f"{host}/a")
    await read(running, older["job_id"], a=Content("Yesterday", text="a"))
    newer = await crawl(running, f"{host}/a", max_age=0)
    await read(running, newer["job_id"], a=Content("Today", text="b"))
    titles = [(await running.get(one["links"]["results"]))["articles"][0]["title"] for one in (older, newer)]

    assert ["Yesterday", "Today"] == titles


async def test_results_outlive_their_jobs(running: Running) -> None:
    host = fresh_host()
    made = await crawl(running, f"{host}/a", f"{host}/b", f"{host}/a")
    await read(running, made["job_id"], a=Content("A", text="a"))
    before = await status_of(running, made["job_id"])
    await running.sql("DELETE FROM warren.jobs WHERE batch_id = $1", made["job_id"])
    results = await running.get(made["links"]["results"])

    assert before == await status_of(running, made["job_id"])
    assert ["A", "A"] == [one["title"] for one in results["articles"]]
    assert ["its job was deleted before it was read"] == [one["error"] for one in results["failed_articles"]]


async def test_an_address_that_is_asked_for_twice_is_read_once(running: Running) -> None:
    host = fresh_host()
    articles = [{"url": f"{host}/a", "source": "x"}, {"url": f"{host}/a#b", "source": "y", "priority": 9}]
    made = await running.post(CRAWLS, 201, {"articles": articles})
    (job,) = (await jobs_of(running, made["job_id"])).values()
    await read(running, made["job_id"], a=Content("A", text="a"))
    results = (await running.get(made["links"]["results"]))["articles"]
    status = await status_of(running, made["job_id"])

    assert (2, 0, 9, "x") == (made["new_articles"], made["cached_articles"], job["priority"], job["source"])
    assert [("x", "A"), ("y", "A")] == [(one["source"], one["title"]) for one in results]
    assert (2, 0) == (status["completed"], status["pending"])


async def test_hosts_take_turns(running: Running) -> None:
    one, other, third = fresh_host(), fresh_host(), fresh_host()
    urls = [*(f"{one}/{n}" for n in range(4)), f"{other}/0", f"{other}/1", f"{third}/0"]
    made = await crawl(running, *urls)
    order = [url.rpartition("/")[0] for url in await jobs_of(running, made["job_id"])]

    assert [one, other, third, one, other, one, one] == order


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("articles", {}),
        ("articles", {"articles": None}),
        ("articles", {"articles": []}),
        ("articles", {"articles": {"url": "https://example.org/"}}),
        ("articles[0]", {"articles": ["https://example.org/"]}),
        ("articles[0].url", {"articles": [{"source": "x"}]}),
        ("articles[0].url", {"articles": [{"url": 7}]}),
        ("articles[1].url", {"articles": [{"url": "https://example.org/"}, {"url": "example.org"}]}),
        ("articles[0].url", {"articles": [{"url": "ftp://example.org/"}]}),
        ("articles[0].url", {"articles": [{"url": "https://a:secret@example.org/"}]}),
        ("articles[0].url", {"articles": [{"url": "https://example.org/" + "a" * 9_000}]}),
        ("articles[0].urls", {"articles": [{"urls": "https://example.org/"}]}),
        ("articles[0].source", {"articles": [{"url": "https://example.org/", "source": 1}]}),
        ("articles[0].category", {"articles": [{"url": "https://example.org/", "category": "\n"}]}),
        ("articles[0].priority", {"articles": [{"url": "https://example.org/", "priority": 11}]}),
        ("max_age", {"articles": [{"url": "https://example.org/"}], "max_age": -1}),
        ("max_age", {"articles": [{"url": "https://example.org/"}], "max_age": "1h"}),
        ("max_ages", {"articles": [{"url": "https://example.org/"}], "max_ages": 1}),
        ("id", {"articles": [{"url": "https://example.org/"}], "id": "mine"}),
    ],
)
async def test_what_cannot_be_read_is_refused_by_its_place(running: Running, field: str, body: dict[str, Any]) -> None:
    problem = await running.post(CRAWLS, 422, body)

    assert field == problem["field"]
    assert problem["remedy"]
    assert "secret" not in json.dumps(problem)


async def test_one_that_is_none_refuses_all_and_many_are_told_at_once(running: Running) -> None:
    crawl_id = str(uuid4())
    problem = await crawl(running, f"{fresh_host()}/a", "a", "https://", status=422, id=crawl_id)
    await running.get(f"{CRAWLS}/{crawl_id}/status", 404)

    assert ["articles[1].url", "articles[2].url"] == [one["field"] for one in problem["errors"]]
    assert {} == await jobs_of(running, crawl_id)


async def test_more_articles_than_a_request_may_have_are_refused(running: Running) -> None:
    problem = await running.post(CRAWLS, 413, {"articles": [{"url": "https://example.org/"}] * 10_001})

    assert ("articles", "articles holds more than 10000 articles") == (problem["field"], problem["detail"])


async def test_the_same_request_again_is_the_same_crawl(running: Running) -> None:
    host, crawl_id, key = fresh_host(), str(uuid4()), {"Idempotency-Key": uuid4().hex}
    first = await crawl(running, f"{host}/a", id=crawl_id)
    again = await crawl(running, f"{host}/a", id=crawl_id, status=200)
    other = await crawl(running, f"{host}/b", id=crawl_id, status=409)
    keyed = []
    for status in (201, 200):
        async with running.client.post(CRAWLS, json={"articles": [{"url": f"{host}/a"}]}, headers=key) as response:
            keyed.append((await response.json())["job_id"])

            assert status == response.status

    assert {**first, "duplicate": True} == again
    assert "id" == other["field"]
    assert 1 == len(set(keyed))
    assert 1 == len(await jobs_of(running, crawl_id))


async def test_results_come_in_pages_of_what_has_ended(running: Running) -> None:
    host = fresh_host()
    made = await crawl(running, *(f"{host}/{n}" for n in range(5)))
    empty = await running.get(made["links"]["results"])
    await read(running, made["job_id"], **{str(n): Content(str(n), text="t" * n) for n in (0, 1, 3, 4)})
    seen, cursor = list[str](), ""
    for _ in range(3):
        page = await running.get(f"{made['links']['results']}?limit=2{cursor}")
        seen += [one["url"][-1] for one in (*page["articles"], *page["failed_articles"])]
        cursor = f"&cursor={page['next_cursor']}"

    assert ([], [], None) == (empty["articles"], empty["failed_articles"], empty["next_cursor"])
    assert (["0", "1", "3", "2", "4"], None) == (seen, page["next_cursor"])


async def test_all_results_come_as_lines(running: Running) -> None:
    host = fresh_host()
    made = await crawl(running, f"{host}/a", f"{host}/b")
    await read(running, made["job_id"], b=Content('=SUM(1,"2")', text="a\nb, c"))
    path = made["links"]["results"]
    async with running.client.get(f"{path}?format=ndjson") as response:
        lines = [json.loads(line) for line in (await response.text()).splitlines()]
        kind = response.headers["Content-Type"]
    async with running.client.get(f"{path}?format=csv") as response:
        header, failed, known = csv.reader(io.StringIO((await response.text()).replace("\r\n", "\n"), newline=""))
        attached = response.headers["Content-Disposition"]
    async with running.client.head(f"{path}?format=csv") as response:
        head = (response.status, await response.read())
    told = dict(zip(header, known, strict=True))

    assert ("application/x-ndjson", f'attachment; filename="crawl-{made["job_id"]}.csv"') == (kind, attached)
    assert [("failed", "HTTP 404"), ("completed", "a\nb, c")] == [
        (one["status"], one.get("error") or one["content"]) for one in lines
    ]
    assert ('\'=SUM(1,"2")', "a\nb, c", "completed", "") == tuple(
        told[n] for n in ("title", "content", "status", "error")
    )
    assert "HTTP 404" == dict(zip(header, failed, strict=True))["error"]
    assert (200, b"") == head


async def test_lines_that_cannot_be_told_to_the_end_are_cut_off_and_no_whole_answer(
    running: Running, stores: Stores
) -> None:
    """
    More than the buffers between the two hold, so that the store goes away while it is written.
    """
    host = fresh_host()
    made = await crawl(running, *(f"{host}/{n}/long" for n in range(400)))
    (first, *_) = (await jobs_of(running, made["job_id"])).values()
    long = Content("A", text="rain " * 20_000, word_count=20_000)
    await keep(running.room.database, f"{host}/0/long", first["id"], long, body_hash=b"body")
    await running.sql(ALL_ALIKE, UUID(made["job_id"]))
    async with gateway(stores) as doomed, doomed.client.get(f"{made['links']['results']}?format=ndjson") as response:
        began = await response.content.readline()
        await doomed.room.database.stop()
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()

    assert "completed" == json.loads(began)["status"]


@pytest.mark.parametrize("example", CRAWLS_SHOWN.values(), ids=CRAWLS_SHOWN)
async def test_the_examples_of_the_description_are_valid_and_taken(running: Running, example: dict[str, Any]) -> None:
    asked = example["value"] | {"max_age": 0}
    jsonschema_rs.validator_for(CRAWL).validate(asked)

    assert len(asked["articles"]) == (await running.post(CRAWLS, 201, asked))["new_articles"]


@pytest.mark.parametrize(("query", "field"), [("format=xml", "format"), ("format=csv&limit=2", "limit"), ("a=1", "a")])
async def test_results_that_cannot_be_told_so_are_refused(running: Running, query: str, field: str) -> None:
    made = await crawl(running, f"{fresh_host()}/a")

    assert field == (await running.get(f"{made['links']['results']}?{query}", 422))["field"]


async def test_a_crawl_that_is_deleted_ends_its_jobs_and_is_gone(running: Running) -> None:
    host = fresh_host()
    made = await crawl(running, f"{host}/a", f"{host}/b")
    done = await crawl(running, f"{host}/c")
    await read(running, done["job_id"], c=Content("C", text="c"))
    for one in (made, done):
        path = f"{CRAWLS}/{one['job_id']}"
        await running.delete(path)
        for asked in (f"{path}/status", f"{path}/results", f"{path}/results?format=csv"):
            await running.get(asked, 404)
        await running.delete(path, 404)
    states = await running.sql("SELECT DISTINCT state FROM warren.jobs WHERE batch_id = $1", UUID(made["job_id"]))
    known = await crawl(running, f"{host}/c")

    assert ["cancelled"] == [row["state"] for row in states]
    assert [] == await running.sql("SELECT FROM warren.jobs WHERE batch_id = $1", UUID(done["job_id"]))
    assert 1 == known["cached_articles"]  # what was read stays known
