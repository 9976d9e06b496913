"""The dashboard over a whole Warren: somebody watches a job run, line by line, and sees it end without a reload."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.chromium import PROGRAM, Tab, chromium
from tests.journey.api import Api
from tests.journey.stack import Stack

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")


@pytest_asyncio.fixture
async def tab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    async with chromium(tmp_path_factory.mktemp("chromium")) as one:
        yield one


async def test_a_job_is_watched_from_the_overview_to_its_end(api: Api, stack: Stack, tab: Tab, tmp_path: Path) -> None:
    tag, door = f"t-{uuid4().hex[:8]}", tmp_path / "door"
    job_id = await api.submit("talkative", {"lines": 2, "tag": "<b>seen</b>", "waits_for": str(door)}, tags=[tag])
    await tab.open(f"{stack.url}/")  # which leads to the dashboard
    await tab.comes_true("document.querySelector('.tile.is-running b')?.textContent >= 1")
    await tab.ask(f"location.hash = '#/jobs?tag={tag}'")
    await tab.comes_true("document.querySelector('tbody a.strong')?.textContent === 'talkative'")
    await tab.ask("document.querySelector('tbody a.strong').click()")
    await tab.comes_true(f"location.hash === '#/jobs/{job_id}'")
    await tab.shows("asked <b>seen</b> with api_key=***")
    await tab.comes_true("document.querySelector('h1 .badge').textContent === 'running'")
    lines = await tab.ask("document.querySelectorAll('.log li').length")
    door.touch()
    await tab.comes_true("document.querySelector('h1 .badge').textContent === 'completed'")
    await tab.shows("It is completed.")

    assert 3 == lines == await tab.ask("document.querySelectorAll('.log li').length")
    assert 0 == await tab.ask("document.querySelectorAll('main b').length")
    await tab.ask("history.back()")
    await tab.comes_true("document.querySelector('tbody .badge')?.textContent === 'completed'")
    assert [] == tab.complaints


async def test_every_view_opens(api: Api, stack: Stack, tab: Tab) -> None:
    await api.submit("echo", {"message": "hi"})
    for view, sign in (
        ("/", "Throughput"), ("/jobs", "How it stands"), ("/queues", "job type"), ("/workers", "takes more"),
        ("/dead-letters", "that wait"), ("/schedules", "Schedules"), ("/batches", "Batches"),
    ):  # fmt: skip
        await tab.open("about:blank")
        await tab.open(f"{stack.url}/dashboard#{view}")
        await tab.comes_true(f"document.querySelector('main').innerText.includes('{sign}')")
        await tab.comes_true("document.getElementById('standing').textContent === 'Live'")
        assert 0 == await tab.ask("document.querySelectorAll('main [role=alert]').length"), view

    assert [] == tab.complaints
