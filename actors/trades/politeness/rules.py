"""The rules of a robots.txt.  Pure.

What could not be read allows nothing for a while (RFC 9309), and then is asked for again; a host that has none, or
refuses to show it, allows all.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from itertools import islice
from typing import Final

from protego import Protego

from wire.errors import Refused
from wire.web_address import canonical

MOST_SITEMAPS: Final = 100
LONGEST_DELAY: Final = 3_600.0  # that is believed: a misspelt Crawl-delay must not hold a job for a month


@dataclass(frozen=True, slots=True)
class Rules:
    """Of one host."""

    parsed: Protego
    fault: str | None = None  # why they could not be read

    def allow(self, url: str, user_agent: str) -> bool:
        return self.fault is None and bool(self.parsed.can_fetch(url, user_agent))

    def delay(self, user_agent: str) -> float:
        """Seconds that the host wants between two requests, or 0."""
        said, rate = self.parsed.crawl_delay(user_agent), self.parsed.request_rate(user_agent)
        wanted = max(said or 0.0, rate.seconds / rate.requests if rate and rate.requests else 0.0)
        return min(wanted, LONGEST_DELAY) if wanted > 0 else 0.0

    def sitemaps(self) -> tuple[str, ...]:
        """Those that it names, wherever they lie, each in its one spelling."""
        found: dict[str, None] = {}
        for said in islice(self.parsed.sitemaps, MOST_SITEMAPS):
            with contextlib.suppress(Refused):
                found.setdefault(canonical(said))
        return tuple(found)


def parse(text: str, fault: str | None = None) -> Rules:
    return Rules(Protego.parse(text), fault)


def unreadable(status: int) -> str | None:
    """Why an answer of this status says nothing; None where it says what it says, or that all is allowed."""
    return f"HTTP {status}" if status >= 500 or status == 429 else None
