"""How long a host asks to be left alone (RFC 9110, Retry-After): seconds, or a date.  Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_SECONDS: Final = 86_400.0  # that is believed


def retry_after(said: str | None, now: datetime) -> float:
    """Seconds from now; 0 where nothing that can be read was said."""
    text = (said or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), LONGEST_SECONDS)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (aware - now).total_seconds()), LONGEST_SECONDS)
