"""The guarded client: a pool of connections to judged addresses, redirects that are judged again, and a clock.

One for a process and its loop.  Connections are kept for the next request to the same scheme, host and port; those
that the allow-list made possible are kept apart from those that a stranger's redirect may use.  Keeps no cookies and
reads nothing of the environment but where certificates are (`SSL_CERT_FILE`).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace

import httpx

from actors.trades.outbound import here
from actors.trades.outbound.answer import Answer, Room
from actors.trades.outbound.document import Document
from actors.trades.outbound.failures import Forbidden, TooSlow
from actors.trades.outbound.here import Wanted
from actors.trades.outbound.judge import Judge
from actors.trades.outbound.line import Line
from actors.trades.outbound.pool import Pool
from actors.trades.outbound.proxy import Proxy
from actors.trades.outbound.request import Request, request
from actors.trades.outbound.resolve import Resolver, SystemResolver
from actors.trades.outbound.target import target
from actors.trades.outbound.told import telling, trace_headers
from wire.slices import Outbound

# Whether a redirect of a public document is why we ask: what is asked on its account (robots.txt) is judged as it is.
for_stranger: ContextVar[bool] = ContextVar("outbound for a stranger", default=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one fetch, its redirects included."""

    room: Room
    redirects: int
    ends: float  # by the monotonic clock
    on_redirect: Callable[[str], Awaitable[float]] | None = None  # says how long it took, which does not count


class Guard:
    """By which a process makes its requests."""

    def __init__(self, settings: Outbound, resolve: Resolver | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.settings, self._tls = settings, tls
        self._own = SystemResolver()
        proxy = settings.proxy.get_secret_value()
        self._by = resolve or self._own, Proxy(proxy) if proxy else None
        self.judge = Judge.of(settings)
        self._strangers = self.judge.of_strangers()
        self._pools: dict[Judge, Pool] = {}
        self._opening = asyncio.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        here.guard = self

    async def stop(self) -> None:
        pools, self._pools = self._pools, {}
        if here.guard is self:
            here.guard = None
        for pool in pools.values():
            await pool.stop()
        self._own.stop()

    async def __aenter__(self) -> Guard:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def fetch(self, wanted: Wanted) -> Document:
        """See fetch.py."""
        began, within = time.monotonic(), wanted.seconds or self.settings.timeout_seconds
        first = request(wanted.method, target(wanted.url), wanted.headers, wanted.content, self.settings.user_agent)
        try:
            async with asyncio.timeout(within) as clock:
                told = _outside_of(clock, wanted.on_redirect) if wanted.on_redirect else None
                room = Room(wanted.most_bytes or self.settings.max_bytes, wanted.cut, wanted.into)
                answer, led = await self._follow(first, Limits(room, wanted.redirects, began + within, told))
        except TimeoutError:
            raise TooSlow(f"{first.target.place} did not answer in full within {within:g} s") from None
        final = led[-1] if led else str(first.target.url)
        elapsed = time.monotonic() - began
        return Document(wanted.url, final, answer.status, answer.headers, answer.body, tuple(led), elapsed)

    async def _follow(self, asked: Request, limits: Limits) -> tuple[Answer, list[str]]:
        """The last answer, and where it was that redirects led to."""
        judge = self._strangers if for_stranger.get() else self.judge
        led, seen = list[str](), {(asked.method, str(asked.target.url))}
        while True:
            answer = await self._hop(judge, asked, limits, len(led))
            if answer.leads_to is None or not limits.redirects:
                return answer, led
            if len(led) == limits.redirects:
                raise Forbidden(f"{asked.target.place} redirects once more than {limits.redirects} times")
            if not answer.listed:
                judge = self._strangers  # a public document opens nothing that is internal
            asked = asked.redirected(answer.status, target(answer.leads_to, asked.target))
            led.append(str(asked.target.url))
            if (asked.method, led[-1]) in seen:
                raise Forbidden(f"{asked.target.place} redirects in a circle")
            seen.add((asked.method, led[-1]))
            if limits.on_redirect:
                judge.check(asked.target)
                token = for_stranger.set(judge is self._strangers)
                try:
                    limits = replace(limits, ends=limits.ends + await limits.on_redirect(led[-1]))
                finally:
                    for_stranger.reset(token)

    async def _hop(self, judge: Judge, asked: Request, limits: Limits, number: int) -> Answer:
        async with telling(asked, number, limits.ends) as told:
            judge.check(asked.target)
            extra = trace_headers(told.place) if judge.trusts(asked.target) else {}
            pool = self._pools.get(judge) or await self._open(judge)
            told.answer = await pool.ask(asked, extra, limits.room)
            return told.answer

    async def _open(self, judge: Judge) -> Pool:
        """The first request of all waits for the certificates; a worker whose jobs make none does not load them."""
        async with self._opening:
            if self._tls is None:
                self._tls = await asyncio.to_thread(httpx.create_ssl_context)
            if judge not in self._pools:
                self._pools[judge] = Pool(Line(judge, *self._by), self._tls)
            return self._pools[judge]


def _outside_of(clock: asyncio.Timeout, call: Callable[[str], Awaitable[None]]) -> Callable[[str], Awaitable[float]]:
    """The same call, for which the clock stands still: whoever is polite waits for its turn in it."""

    async def called(url: str) -> float:
        loop, ends = asyncio.get_running_loop(), clock.when()
        assert ends is not None
        began = loop.time()
        clock.reschedule(None)
        try:
            await call(url)
        finally:
            clock.reschedule(ends + loop.time() - began)
        return loop.time() - began

    return called
