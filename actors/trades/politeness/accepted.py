"""Whether an answer is what was wanted; if not, whether to ask again, and when.

What a client did wrong (4xx) does not become right by itself and fails for good; what a server cannot do now (5xx, 408,
425, 429) is tried again, when `Retry-After` says.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from actors.ends import PermanentError, RetryAfter
from actors.trades.outbound.document import Document
from actors.trades.outbound.target import target
from actors.trades.politeness.retry_after import retry_after

LATER: Final = frozenset({408, 425, 429})


class NotNow(Exception):
    """The server could not, and did not say when it can."""


def accept(document: Document, wanted: list[int] | None = None) -> None:
    """Return if its status is one of these, or any below 400; else raise what the attempt ends with."""
    status, place = document.status, target(document.final_url).place
    if status < 400 if wanted is None else status in wanted:
        return
    if status >= 500 or status in LATER:
        after = retry_after(document.headers.get("retry-after"), datetime.now(UTC))
        if after:
            raise RetryAfter(after, f"{place} answered {status} and asks to be asked again in {after:.0f} s")
        raise NotNow(f"{place} answered {status}")
    raise PermanentError(f"{place} answered {status}" + (f", which is not in {wanted}" if wanted else ""))
