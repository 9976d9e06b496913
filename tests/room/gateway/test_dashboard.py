"""The dashboard's files: what is served, with which headers, and nothing beside them."""

from __future__ import annotations

import re

import pytest
from aiohttp import hdrs

from gateway.dashboard.pages import ASSETS, DASHBOARD, PAGE, STATIC
from tests.room.gateway.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILES = sorted(path.name for path in STATIC.iterdir() if path.name != PAGE)
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


async def test_the_root_leads_to_the_dashboard(running: Running) -> None:
    async with running.client.get("/", allow_redirects=False) as response:
        assert (302, DASHBOARD) == (response.status, response.headers["Location"])


@pytest.mark.parametrize("name", FILES)
async def test_a_file_is_served_as_what_it_is(running: Running, name: str) -> None:
    """
    A browser runs no module that is not told to be JavaScript, because it may not guess.
    """
    async with running.client.get(ASSETS + name) as response:
        body = await response.read()
        kind, guess = response.content_type, response.headers["X-Content-Type-Options"]

    assert (200, (STATIC / name).read_bytes()) == (response.status, body)
    assert (KINDS[f".{name.rpartition('.')[2]}"], "nosniff") == (kind, guess)


@pytest.mark.parametrize("path", [DASHBOARD, ASSETS + "board.js"])
async def test_the_policy_allows_these_files_and_nothing_else(running: Running, path: str) -> None:
    async with running.client.get(path) as response:
        policy, headers = response.headers["Content-Security-Policy"], response.headers

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert [] == [word for word in ("unsafe", "http:", "https:", "*", "data:", "blob:") if word in policy]
    assert ("DENY", "same-origin") == (headers["X-Frame-Options"], headers["Cross-Origin-Opener-Policy"])


async def test_the_page_holds_no_script_and_no_style_of_its_own(running: Running) -> None:
    async with running.client.get(DASHBOARD) as response:
        page = await response.text()
    named = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)

    assert ("text/html", "utf-8") == (response.content_type, response.charset)
    assert [] == re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:", page)
    assert {ASSETS + "board.js", ASSETS + "board.css"} < set(named)
    for path in named:
        async with running.client.get(path) as response:
            assert 200 == response.status, path


@pytest.mark.parametrize("path", [DASHBOARD, ASSETS + "board.css"])
async def test_a_file_that_is_known_is_not_sent_again(running: Running, path: str) -> None:
    async with running.client.get(path) as first:
        etag, kept = first.headers[hdrs.ETAG], first.headers[hdrs.CACHE_CONTROL]
    async with running.client.get(path, headers={hdrs.IF_NONE_MATCH: f'"other", W/{etag}'}) as again:
        body = await again.read()
    async with running.client.get(path, headers={hdrs.IF_NONE_MATCH: '"other"'}) as changed:
        assert 200 == changed.status

    assert ("no-cache", 304, b"", etag) == (kept, again.status, body, again.headers[hdrs.ETAG])
    assert "default-src" in again.headers["Content-Security-Policy"]


async def test_a_head_is_answered_without_a_body(running: Running) -> None:
    async with running.client.head(ASSETS + "board.js") as response:
        body = await response.read()

    assert (200, b"") == (response.status, body)
    assert (STATIC / "board.js").stat().st_size == int(response.headers[hdrs.CONTENT_LENGTH])


@pytest.mark.parametrize(
    "name",
    [
        "secrets",
        "",
        "..%2fpages.py",
        "%2e%2e%2fpages.py",
        "..%5cpages.py",
        "%2fetc%2fpasswd",
        "board.js%00",
        PAGE,
        "Board.js",
    ],
)
async def test_no_other_file_is_served(running: Running, name: str) -> None:
    async with running.client.get(ASSETS + name) as response:
        problem = await response.json(content_type=None)

    assert (404, "/problems#not_found") == (response.status, problem["type"])
