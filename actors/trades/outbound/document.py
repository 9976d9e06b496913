"""What was fetched."""

from __future__ import annotations

from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Document:
    """One answer, whatever its status."""

    url: str  # asked for
    final_url: str  # after redirects
    status: int
    headers: httpx.Headers
    body: bytes  # unpacked; none where it went into a file
    redirects: tuple[str, ...]  # where it was sent, in order; the last is `final_url`
    elapsed_seconds: float
