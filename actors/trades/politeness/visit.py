"""`visit`: fetch as a polite guest does, at the host's pace and within its robots.txt.

    document = await visit("https://news.example.org/today")

What keeps a job from it is raised in the engine's own words: Snooze until its turn, RetryAfter where the host asks for
a pause, PermanentError where robots.txt forbids it.  `fetch` is for what has agreed to be asked (an API of one's own);
in a test without servers (`run_inline`) there is nobody to share a host with, and a visit is a fetch.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from actors.context import Context, context
from actors.ends import PermanentError, RetryAfter, Snooze
from actors.trades.outbound import here
from actors.trades.outbound.document import Document
from actors.trades.outbound.failures import TooLarge, TooSlow, Unreachable
from actors.trades.outbound.fetch import fetch
from actors.trades.politeness import robots
from actors.trades.politeness.retry_after import retry_after
from actors.trades.politeness.rules import Rules
from actors.trades.politeness.stop import Stop
from persistence.hosts.gate import Turns
from persistence.hosts.turns import AHEAD_SECONDS
from wire.errors import Refused
from wire.slices import Outbound
from wire.web_address import host_of

REFUSED: Final = frozenset({429, 503})  # too much
LONGEST_SECONDS: Final = 86_400.0  # that a host is kept for one request
ROBOTS_SECONDS: Final = 10.0  # nothing can be asked before it has come


async def visit(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    most_bytes: int | None = None,
    seconds: float | None = None,
) -> Document:
    """The document at this URL, whatever its status is but for 429 and 503; see above for what is raised instead."""
    job = context()
    gate = job.inner_door.gate
    if gate is None:
        return await fetch(url, headers=headers, most_bytes=most_bytes, seconds=seconds)
    way = _Way(gate, job, seconds)
    await way.begin(url)
    try:
        document = await fetch(url, headers=headers, most_bytes=most_bytes, seconds=seconds, on_redirect=way.go_on)
        await _heed(way.stop, document)
    finally:
        way.stop.leave()
    return document


async def sitemaps_of(url: str) -> tuple[str, ...]:
    """Those that the robots.txt of this URL's host names, if it is known; nobody is asked for it here."""
    gate = context().inner_door.gate
    if gate is None or gate.settings.robots == "ignore":
        return ()
    rules = await robots.known(gate, _host(url))
    return rules.sitemaps() if rules is not None else ()


async def _heed(stop: Stop, document: Document) -> None:
    """A host that has had too much is left alone, by everybody."""
    if document.status in REFUSED:
        asked = retry_after(document.headers.get("retry-after"), datetime.now(UTC))
        left = await stop.pause(refused=True, hold_seconds=asked)
        words = f"{stop.host} answered {document.status}: it is asked less often from now on"
        raise RetryAfter(max(0.0, left.next_seconds - AHEAD_SECONDS), words)


class _Way:
    """From a URL to where it leads, a stop at a time: nobody holds one host's turn while waiting for another's."""

    def __init__(self, gate: Turns, job: Context, seconds: float | None, *, errand: Stop | None = None) -> None:
        self._gate, self._job = gate, job
        self._outbound = here.guard.settings if here.guard else Outbound()
        wanted = seconds or self._outbound.timeout_seconds
        self._longest = wanted if 0 < wanted < LONGEST_SECONDS else LONGEST_SECONDS
        self._is_errand = errand is not None  # for a robots.txt, which no robots.txt can forbid
        if errand is not None:
            self.stop = errand

    async def begin(self, url: str) -> None:
        """Come to the first turn."""
        await self._arrive(url, in_place=self._job.visits > 0)

    async def go_on(self, url: str) -> None:
        """A redirect is the next request."""
        if _host(url) == self.stop.host:
            await self.stop.pause()
            self.stop.in_place = True
            await self._take(url)
        else:
            self.stop.leave()
            await self._arrive(url, in_place=True)

    async def _arrive(self, url: str, *, in_place: bool) -> None:
        self.stop = Stop(self._gate, self._job, _host(url), longest_seconds=self._longest, in_place=in_place)
        await self._take(url)

    async def _take(self, url: str) -> None:
        """Take the turn, if robots.txt lets us; where it is not known the first turn is for asking it."""
        try:
            await self.stop.come(await self._delay(url))
        except Snooze:
            raise
        except BaseException:
            self.stop.give_back()
            raise
        self._job.visits += not self._is_errand

    async def _delay(self, url: str) -> float:
        """How far apart this host wants to be asked, if it may be asked this."""
        settings = self._gate.settings
        if settings.robots == "ignore" or self._is_errand:
            return settings.delay_seconds
        rules = await robots.known(self._gate, self.stop.host) or await self._rules()
        self._obey(rules, url)
        return max(settings.delay_seconds, rules.delay(self._outbound.user_agent))

    async def _rules(self) -> Rules:
        stop = self.stop
        await stop.come(self._gate.settings.delay_seconds)
        known = await robots.known(self._gate, stop.host)  # somebody may have asked while this job stood in line
        return known or await self._ask_robots(stop)

    async def _ask_robots(self, stop: Stop) -> Rules:
        errand, refused = _Way(self._gate, self._job, self._longest, errand=stop), False
        try:
            document = await fetch(
                f"{stop.host}/robots.txt",
                most_bytes=robots.MOST_BYTES,
                cut=True,
                seconds=ROBOTS_SECONDS,
                on_redirect=errand.go_on,
            )
        except (Unreachable, TooSlow, TooLarge) as e:
            rules = await robots.without(self._gate, stop.host, str(e))
        except BaseException:
            errand.stop.leave()
            raise
        else:
            rules, refused = await robots.learn(self._gate, stop.host, document), document.status in REFUSED
        if errand.stop is stop:
            await stop.pause(refused=refused)
        else:
            errand.stop.leave()
        return rules

    def _obey(self, rules: Rules, url: str) -> None:
        if rules.fault is not None:
            words = f"the robots.txt of {self.stop.host} cannot be read ({rules.fault}), so nothing is asked there yet"
            raise RetryAfter(robots.UNREADABLE_SECONDS, words)
        if not rules.allow(url, self._outbound.user_agent):
            raise PermanentError(
                f"the robots.txt of {self.stop.host} forbids this URL to {self._outbound.user_agent!r}; "
                "WARREN_ROBOTS=ignore is for hosts that have allowed it otherwise"
            )


def _host(url: str) -> str:
    try:
        return host_of(url)
    except Refused as e:
        raise PermanentError(str(e)) from None
