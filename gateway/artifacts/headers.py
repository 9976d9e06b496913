"""The headers of bytes that a stranger may have written: a job saves whatever it has fetched.

A browser must neither guess another type than is told, nor run it as a page of this origin, whose scripts could submit
jobs.  So nothing may be loaded from within it, it is in a sandbox, and what is not on the short list below is saved as
a file instead of shown.
"""

from __future__ import annotations

from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from aiohttp import hdrs

from persistence.artifacts.artifact import Artifact

SHOWN: Final = frozenset({
    "text/plain", "application/json", "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif",
})  # fmt: skip
SHOWN_KINDS: Final = ("audio", "video")
ALONE: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


def etag(found: Artifact) -> str:
    return f'"{found.sha256}"'


def headers_of(found: Artifact, *, download: bool) -> dict[str, str]:
    """All that do not depend on which part is asked for."""
    return {
        hdrs.CONTENT_TYPE: found.content_type,
        hdrs.CONTENT_DISPOSITION: disposition(found.name, shown=not download and _is_shown(found.content_type)),
        hdrs.ETAG: etag(found),
        hdrs.LAST_MODIFIED: format_datetime(found.created_at, usegmt=True),
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.CACHE_CONTROL: "private, no-cache",  # it never changes, but it may be deleted, and a key may be taken back
        "Content-Security-Policy": ALONE,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def disposition(name: str, *, shown: bool) -> str:
    """The name in both spellings: RFC 6266 for whoever reads it, and letters for those who do not."""
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\/%' else "_" for sign in name)
    encoded = quote(name, safe="")
    return f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def _is_shown(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind in SHOWN or kind.partition("/")[0] in SHOWN_KINDS
