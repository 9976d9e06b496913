"""`fetch`: the one way in which a job asks the web for something."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from actors.trades.outbound import here
from actors.trades.outbound.document import Document
from actors.trades.outbound.guard import Guard
from actors.trades.outbound.here import Wanted


async def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    most_bytes: int | None = None,
    seconds: float | None = None,
    redirects: int = 5,
    cut: bool = False,
    on_redirect: Callable[[str], Awaitable[None]] | None = None,
    into: Path | None = None,
) -> Document:
    """The document at this URL, whatever its status is; see failures.py for what is raised instead.

    With `redirects=0` none is followed: the redirect itself is the document, and its `location` a header.
    By default as many bytes and seconds as `WARREN_OUTBOUND_MAX_BYTES` and `WARREN_OUTBOUND_TIMEOUT_SECONDS` say; with
    `cut` a longer body is not refused, but left off there.
    `on_redirect` is told each URL that a redirect leads to and awaited before that is asked; its time is not counted.
    With `into` the body goes to that file as it comes, so it may be larger than a worker has room for; none of it
    is in `body`.  What is raised leaves half of it there.
    Outside of a worker, where there is no guard, one is made for this request alone, with the default settings or those
    of `with outbound(…)`.
    """
    wanted = Wanted(url, method, headers or {}, content, most_bytes, seconds, redirects, cut, on_redirect, into)
    guard = here.guard
    if guard is not None and guard.loop is asyncio.get_running_loop():
        return await guard.fetch(wanted)
    alone = Guard(guard.settings if guard else here.settings)
    try:
        return await alone.fetch(wanted)
    finally:
        await alone.stop()
