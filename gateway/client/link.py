"""One request to the gateway: sent again while there is patience, its refusal made an exception.

What never reached the gateway, what it could not answer, and what it answers with "not now" is sent again, byte for
byte; so nothing may be sent through here that must not arrive twice.  Connections are kept open, on the loop that uses
them: another loop (a test's, a script's second `asyncio.run`) gets its own.  Requests that the gateway was asked to
hold back have their own, too, and hold up no others.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from gateway.client.failures import NotFound
from gateway.client.replies import Problem
from wire.errors import Refused, Unavailable
from wire.fields import READERS
from wire.rabbitmq.backoff import waits
from wire.spans.caller import carried

AGAIN: Final = frozenset({408, 429, 502, 503, 504})  # not now: a store or a proxy's target is away
CONNECTIONS: Final = 8  # of requests that are answered at once: httpx looks at all of them for each request
HELD_CONNECTIONS: Final = 64  # of those that the gateway was asked to hold back; they hold up nobody else
CONNECT_SECONDS: Final = 5.0
LONGEST_TRY_SECONDS: Final = 15.0  # a gateway answers 503 sooner; a peer that is gone says nothing


class PerhapsDone(Refused):
    """It is not in a state for this (any more), and that may be the work of an earlier try of ours."""


class PerhapsGone(NotFound):
    """It is not there (any more), and that may be the work of an earlier try of ours."""


class NotNow(Exception):
    """It can be reached, and answers that it may be asked again later."""

    def __init__(self, why: str, after_seconds: float) -> None:
        self.after_seconds = after_seconds
        super().__init__(why)


class Link:
    """The gateway at one address; at none, every request is refused."""

    def __init__(self, url: str, api_key: str | None, patience_seconds: float) -> None:
        self.url, self._patience = url.rstrip("/"), patience_seconds
        self._headers = {"User-Agent": "warren-client"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
        self._clients: dict[bool, httpx.AsyncClient] = {}  # for requests that are held back, and for all others
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        parameters: Mapping[str, object] | None = None,
        *,
        patience_seconds: float | None = None,
        longer_seconds: float = 0.0,
    ) -> tuple[bytes, bool]:
        """The answer, and whether an earlier try may have arrived; Refused, or Unavailable without more patience.

        `longer_seconds` is how long the gateway itself was asked to hold the answer back.
        """
        answer, tried = await self._answer(
            method, path, body, parameters, {}, patience_seconds=patience_seconds, longer_seconds=longer_seconds
        )
        return answer.content, tried

    async def part(self, path: str, start: int, most: int) -> tuple[bytes, bool]:
        """What is there from this byte on, at most so much, and whether that is all there is from the first on.

        It is where somebody in between knows no ranges.
        """
        headers = {"Range": f"bytes={start}-{start + most - 1}"}
        answer, _ = await self._answer("GET", path, None, None, headers)
        return answer.content, answer.status_code != httpx.codes.PARTIAL_CONTENT

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, parameters: Mapping[str, object], headers: Mapping[str, str], silent_seconds: float
    ) -> AsyncIterator[httpx.Response]:
        """An answer whose body comes bit by bit, asked for once; Refused, or NotNow before its first bit.

        What breaks it off later is httpx's own exception, and so is a silence of so many seconds.
        """
        self._named()
        said, more = _texts(parameters), {**carried(), **headers}
        client, timeout = self._on_this_loop(held=True), _timeout(silent_seconds)
        async with client.stream("GET", path, params=said, headers=more, timeout=timeout) as answer:
            if answer.status_code in AGAIN:
                raise NotNow(f"{self.url} answers {answer.status_code}", _retry_after(answer))
            if not answer.is_success:
                await answer.aread()
            yield _checked(answer, tried=False)

    async def _answer(
        self,
        method: str,
        path: str,
        body: bytes | None,
        parameters: Mapping[str, object] | None,
        headers: Mapping[str, str],
        *,
        patience_seconds: float | None = None,
        longer_seconds: float = 0.0,
    ) -> tuple[httpx.Response, bool]:
        self._named()
        deadline = time.monotonic() + (self._patience if patience_seconds is None else patience_seconds)
        delays, tried = waits(), False
        said = _texts(parameters or {})
        while True:
            left = max(deadline - time.monotonic(), 0.5)
            pause = next(delays)
            try:
                seconds = min(left, LONGEST_TRY_SECONDS) + longer_seconds
                held = longer_seconds > 0
                answer = await self._try(method, path, body, said, headers, seconds=seconds, held=held)
            except (httpx.TransportError, TimeoutError) as e:
                why = f"{self.url} cannot be reached: {type(e).__name__} {e}".rstrip()
            else:
                if answer.status_code not in AGAIN:
                    return _checked(answer, tried=tried), tried
                why, pause = f"{self.url} answers {answer.status_code}", max(pause, _retry_after(answer))
            if time.monotonic() + pause >= deadline:
                raise Unavailable(why)
            tried = True
            await asyncio.sleep(pause)

    async def close(self) -> None:
        clients, self._clients = self._clients, {}
        if self._loop is asyncio.get_running_loop():
            for client in clients.values():
                await client.aclose()

    def _named(self) -> None:
        if not self.url:
            raise Refused("url", "is not said, and RabbitMQ alone only takes jobs", "name a gateway: url or WARREN_URL")

    async def _try(
        self,
        method: str,
        path: str,
        body: bytes | None,
        parameters: Mapping[str, str],
        more: Mapping[str, str],
        *,
        seconds: float,
        held: bool,
    ) -> httpx.Response:
        headers = {**carried(), **({} if body is None else {"Content-Type": "application/json"}), **more}
        async with asyncio.timeout(seconds):
            return await self._on_this_loop(held=held).request(
                method, path, content=body, params=parameters, headers=headers, timeout=_timeout(seconds)
            )

    def _on_this_loop(self, *, held: bool) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._clients = loop, {}
        if held not in self._clients:
            self._clients[held] = self._connect(HELD_CONNECTIONS if held else CONNECTIONS)
        return self._clients[held]

    def _connect(self, connections: int) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url,
            headers=self._headers,
            limits=httpx.Limits(max_connections=connections),
            trust_env=not _is_loopback(self.url),  # a proxy has another loopback than we
        )


def path_of(where: str, one: UUID | str) -> str:
    """The path of the one of this id, or Refused."""
    return f"{where}/{READERS['id']('id', str(one))}"


def _texts(parameters: Mapping[str, object]) -> dict[str, str]:
    return {name: _text(value) for name, value in parameters.items() if value is not None}


def _text(value: object) -> str:
    """What was said of a query, as it stands in an address."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(getattr(value, "actor_name", value))


def _checked(answer: httpx.Response, *, tried: bool) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:  # not ours: a proxy, or another server at this address
        raise Refused("url", f"{answer.url} answers {answer.status_code}", "is this a Warren gateway?") from None
    told = in_words(problem)
    raise _kind(told.type, tried=tried)(told.field or "request", told.detail, told.remedy, code=told.type)


def in_words(problem: Problem) -> Problem:
    """The problem in the words of `Refused`: its code, and what is wrong without the field before it."""
    code, words = problem.type.rpartition("#")[2], problem.detail.removeprefix(f"{problem.field} ")
    return Problem(code, words, problem.field, problem.remedy)


def _kind(code: str, *, tried: bool) -> type[Refused]:
    if code == "not_found":
        return PerhapsGone if tried else NotFound
    return PerhapsDone if tried and code == "wrong_state" else Refused


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
