"""One request to the gateway: sent again while there is patience, its refusal made an exception.

What never reached the gateway, what it could not answer, and what it answers with "not now" is sent again, byte for
byte; so nothing may be sent through here that must not arrive twice.  Connections are kept open, on the loop that uses
them: another loop (a test's, a script's second `asyncio.run`) gets its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from gateway.client.failures import NotFound
from gateway.client.replies import Problem
from wire.backoff import waits
from wire.errors import Refused, Unavailable

AGAIN: Final = frozenset({408, 429, 502, 503, 504})  # not now: a store or a proxy's target is away
MOST_CONNECTIONS: Final = 32
CONNECT_SECONDS: Final = 5.0
LONGEST_TRY_SECONDS: Final = 15.0  # a gateway answers 503 sooner; a peer that is gone says nothing


class PerhapsDone(Refused):
    """The job is not in a state for this (any more), and that may be the work of an earlier try of ours."""


class Link:
    """The gateway at one address."""

    def __init__(self, url: str, api_key: str | None, patience_seconds: float) -> None:
        self.url, self._patience = url.rstrip("/"), patience_seconds
        self._headers = {"User-Agent": "warren-client"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        parameters: Mapping[str, str] | None = None,
        *,
        patience_seconds: float | None = None,
        longer_seconds: float = 0.0,
    ) -> tuple[bytes, bool]:
        """The answer, and whether an earlier try may have arrived; Refused, or Unavailable without more patience.

        `longer_seconds` is how long the gateway itself was asked to hold the answer back.
        """
        deadline = time.monotonic() + (self._patience if patience_seconds is None else patience_seconds)
        delays, tried = waits(), False
        while True:
            left = max(deadline - time.monotonic(), 0.5)
            pause = next(delays)
            try:
                answer = await self._try(
                    method, path, body, parameters, min(left, LONGEST_TRY_SECONDS) + longer_seconds
                )
            except (httpx.TransportError, TimeoutError) as e:
                why = f"{self.url} cannot be reached: {type(e).__name__} {e}".rstrip()
            else:
                if answer.status_code not in AGAIN:
                    return _content(answer, tried=tried), tried
                why, pause = f"{self.url} answers {answer.status_code}", max(pause, _retry_after(answer))
            if time.monotonic() + pause >= deadline:
                raise Unavailable(why)
            tried = True
            await asyncio.sleep(pause)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _try(
        self, method: str, path: str, body: bytes | None, parameters: Mapping[str, str] | None, seconds: float
    ) -> httpx.Response:
        headers = {} if body is None else {"Content-Type": "application/json"}
        async with asyncio.timeout(seconds):
            return await self._on_this_loop().request(
                method, path, content=body, params=parameters, headers=headers, timeout=_timeout(seconds)
            )

    def _on_this_loop(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._loop = loop
            self._client = httpx.AsyncClient(
                base_url=self.url,
                headers=self._headers,
                limits=httpx.Limits(max_connections=MOST_CONNECTIONS),
                trust_env=not _is_loopback(self.url),  # a proxy has another loopback than we
            )
        return self._client


def _content(answer: httpx.Response, *, tried: bool) -> bytes:
    if answer.is_success:
        return answer.content
    try:
        problem = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:  # not ours: a proxy, or another server at this address
        raise Refused("url", f"{answer.url} answers {answer.status_code}", "is this a Warren gateway?") from None
    code = problem.type.rpartition("#")[2]
    words = problem.detail.removeprefix(f"{problem.field} ")
    kind = NotFound if code == "not_found" else PerhapsDone if tried and code == "wrong_state" else Refused
    raise kind(problem.field or "request", words, problem.remedy, code=code)


def _retry_after(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdecimal() and len(said) < 5 else 0.0


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
