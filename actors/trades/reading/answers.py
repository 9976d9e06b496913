"""What a site's answer means for the job that wanted to read it, by its status alone.

What the site says of the address is final; what it says of itself at this moment is tried again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from actors.ends import PermanentError, RetryAfter
from actors.trades.outbound.document import Document
from actors.trades.politeness.retry_after import retry_after

LATER: Final = frozenset({408, 421, 423, 425})  # of the client's errors those that another moment cures
BUSY: Final = frozenset({429, 503})  # too much, and not for good
REST_SECONDS: Final = 30.0  # where a busy host does not say for how long


class BadAnswer(Exception):
    """The site could not answer now; worth another try."""


def readable(document: Document) -> Document:
    """The document, if there is one; else what that means is raised."""
    status = document.status
    if 200 <= status < 300 and status != 204:
        return document
    words = f"{document.final_url} answered {status}"
    if status in BUSY:
        after = retry_after(document.headers.get("retry-after"), datetime.now(UTC))
        raise RetryAfter(after or REST_SECONDS, words)
    if status >= 500 or status in LATER:
        raise BadAnswer(words)
    raise PermanentError(f"{words}: there is nothing to read")
