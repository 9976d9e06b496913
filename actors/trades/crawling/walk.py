"""Walk along a frontier until nothing waits on it.

After a document the job sleeps as long as hosts are left alone at least (Snooze), and holds no slot meanwhile; where
they need no pause it goes on, and lets others have the slot now and then.
"""

from __future__ import annotations

import time
from typing import Final

from actors.context import Context, progress
from actors.ends import Snooze
from actors.trades.crawling.scope import Scope
from actors.trades.crawling.step import Missed, Read, step
from persistence.frontiers.frontier import SEEN, Found, Frontier, Next

MOST_TRIES: Final = 3  # of one address
AGAIN_SECONDS: Final = 5.0  # before its next try, if nothing else waits
STRETCH_SECONDS: Final = 20.0  # of an attempt, before it lets others have its slot
WORTH_A_SLEEP: Final = 0.5  # a shorter pause is waited out in place
AHEAD_SECONDS: Final = 0.35  # the ladder and the claim take their time


class Walk:
    """Of one attempt."""

    def __init__(self, job: Context, frontier: Frontier, scope: Scope, *, most: int, archive: bool) -> None:
        self._frontier, self._scope, self._most, self._archive = frontier, scope, most, archive
        gate = job.inner_door.gate
        self._pause = gate.settings.delay_seconds if gate else 0.0

    async def begin(self, seeds: list[Found]) -> None:
        """Go on where the attempt before came to, or from here."""
        if not await self._frontier.open():
            await self._frontier.begin(seeds, self._most)

    async def on(self) -> None:
        """Return when nothing waits any more; or Snooze."""
        rests_at = time.monotonic() + STRETCH_SECONDS
        while (address := await self._frontier.next()) is not None:
            outcome = await step(address, archive=self._archive)
            if isinstance(outcome, Missed):
                await self._missed(address, outcome)
            else:
                await self._frontier.read(
                    address.ordinal, outcome.told, outcome.led_to, self._links(address, outcome), self._most
                )
            await self._tell()
            if self._pause > WORTH_A_SLEEP or time.monotonic() > rests_at:
                await self._rest(max(0.0, self._pause - AHEAD_SECONDS))

    async def _missed(self, address: Next, missed: Missed) -> None:
        again = missed.again is not None and address.tries + 1 < MOST_TRIES
        await self._frontier.failed(address.ordinal, missed.error, again=again)
        if again and missed.again:  # the host has asked for it, or has no robots.txt that can be read
            await self._rest(missed.again)
        following = await self._frontier.next() if again else None
        if following is not None and following.ordinal == address.ordinal:
            await self._rest(AGAIN_SECONDS)

    async def _rest(self, seconds: float) -> None:
        if await self._frontier.next() is not None:
            raise Snooze(seconds, "it goes on with what its documents link to")

    def _links(self, address: Next, read: Read) -> list[Found]:
        if address.kind == "sitemap":  # what is listed there was meant by whoever asked for sitemaps, at any depth
            documents = [Found(url, address.depth) for url in read.links if self._scope.takes(url)]
            return [*documents, *(Found(url, address.depth, "sitemap") for url in read.sitemaps)]
        followed = [Found(url, address.depth + 1) for url in self._scope.leads_on(read.links, address.depth)]
        return [*(Found(url, SEEN) for url in read.also), *followed]

    async def _tell(self) -> None:
        size = await self._frontier.size()
        progress(size.done / max(1, size.documents), f"{size.done} of {size.documents} documents")
