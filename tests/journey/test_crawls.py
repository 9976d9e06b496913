"""Crawls as a user meets them: the page's requests run as printed, and what they print is what the page says."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import subprocess
import sys
from typing import Any

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import ROOT, Stack
from tests.site.articles import article
from tests.site.served import Site

CRAWLS = "/api/v1/crawls"
PAGE, SCRAPING = ((ROOT / "docs" / f"{name}.md").read_text() for name in ("crawling", "scraping"))
PRINTED = "https://news.example.org"


def blocks(language: str, page: str = PAGE) -> list[str]:
    return [block.split("```")[0] for block in page.split(f"```{language}\n")[1:]]


async def ended(api: Api, crawl_id: str) -> dict[str, Any]:
    """Its status when nothing of it is pending."""

    async def told() -> dict[str, Any] | None:
        status = await api.get(f"{CRAWLS}/{crawl_id}/status")
        return status if status["status"] in ("COMPLETED", "FAILED") else None

    return await eventually(told, within=60) or {}


async def run(stack: Stack, *command: str) -> str:
    """What it prints."""
    said = await asyncio.to_thread(
        subprocess.run, command, env={**os.environ, "WARREN_URL": stack.url, "no_proxy": "*", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert 0 == said.returncode, said.stderr
    return said.stdout


async def test_the_pastes_run_as_printed(api: Api, stack: Stack, site: Site) -> None:
    """
    The page's crawl: asked for, looked at, read in all three formats, deleted; its keys are those that the page shows.
    """
    submit, status, results, delete = (paste.replace(PRINTED, site.url("")) for paste in blocks("sh"))
    receipt_shown, status_shown, results_shown = (json.loads(shown) for shown in blocks("json"))
    find, look = status.splitlines()
    receipt = json.loads(await run(stack, "bash", "-euo", "pipefail", "-c", submit))
    await ended(api, receipt["job_id"])
    told, page, lines, sheet, deleted = [
        await run(stack, "bash", "-euo", "pipefail", "-c", f"{find}\n{paste}")
        for paste in (look, *results.splitlines(), delete)
    ]
    read = [json.loads(line) for line in lines.splitlines()]
    titles = [article(1).title, article(2).title]

    assert set(receipt_shown) == set(receipt)
    assert (set(status_shown), receipt["job_id"], 2) == (
        set(json.loads(told)), json.loads(told)["job_id"], json.loads(told)["completed"],
    )  # fmt: skip
    assert (set(results_shown), set(results_shown["articles"][0])) == (
        set(json.loads(page)), set(json.loads(page)["articles"][0]),
    )  # fmt: skip
    assert titles == [one["title"] for one in json.loads(page)["articles"]]
    assert titles == [one["title"] for one in read]
    assert titles == [row["title"] for row in csv.DictReader(io.StringIO(sheet))]
    assert "204\n" == deleted


async def test_the_paste_of_a_single_article_runs_as_printed(stack: Stack, site: Site) -> None:
    (paste,) = blocks("sh", SCRAPING)
    job = json.loads(
        await run(stack, "bash", "-euo", "pipefail", "-c", paste.replace(f"{PRINTED}/bridge", site.url("/articles/3")))
    )

    assert ("completed", article(3).title) == (job["state"], job["result"]["title"])


async def test_the_program_of_the_page_runs_as_printed(stack: Stack, site: Site) -> None:
    (program,) = blocks("python")
    printed = await run(stack, sys.executable, "-c", program.replace(PRINTED, site.url("", host=21)))

    assert re.fullmatch(re.escape(article(1).title) + r" \d+\n", printed)


async def test_the_requests_of_the_crawler_go_through_all_processes(api: Api, site: Site) -> None:
    """
    One article is there, one is not, one is not what it seems; asked for again, what was read costs no request.
    """
    urls = [site.url("/articles/7", 22), site.url("/status/404", 23), site.url("/kinds/pdf", 24)]
    articles = [{"url": url, "source": "gazette", "category": "tech", "priority": 8} for url in urls]
    made = (await api.client.post("/jobs/submit", json={"articles": articles})).json()
    await ended(api, made["job_id"])
    status = await api.get(f"/jobs/{made['job_id']}/status")
    results = await api.get(f"/jobs/{made['job_id']}/results")
    again = (await api.client.post("/jobs/submit", json={"articles": articles[:1]})).json()
    known = await api.get(f"/jobs/{again['job_id']}/results")
    deleted = await api.client.delete(f"/jobs/{made['job_id']}")
    gone = await api.client.get(f"/jobs/{made['job_id']}/status")
    shown = json.loads(blocks("json")[2])["failed_articles"][0]

    assert ("COMPLETED", 3, 1, 2, 0) == tuple(
        status[name] for name in ("status", "total_articles", "completed", "failed", "pending")
    )
    assert status["created_at"] <= status["completed_at"] <= status["updated_at"]
    assert [(urls[0], article(7).title, False)] == [
        (one["url"], one["title"], one["cached"]) for one in results["articles"]
    ]
    assert (urls[1:], {*shown}) == (
        [one["url"] for one in results["failed_articles"]], {*results["failed_articles"][0]},
    )  # fmt: skip
    assert "404" in results["failed_articles"][0]["error"]
    assert ("COMPLETED", 0, 1, True) == (
        again["status"], again["new_articles"], again["cached_articles"], known["articles"][0]["cached"],
    )  # fmt: skip
    assert 1 == len(site.asked(host=22, path="/articles/7"))
    assert (204, 404) == (deleted.status_code, gone.status_code)
