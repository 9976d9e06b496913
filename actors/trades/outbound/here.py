"""The guard of this process, if it has one; as with its log there is one, set where its life begins."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from actors.trades.outbound.document import Document
from wire.slices import Outbound


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a job asks for; None is the setting's."""

    url: str
    method: str
    headers: Mapping[str, str]
    content: bytes | None
    most_bytes: int | None
    seconds: float | None
    redirects: int
    cut: bool
    on_redirect: Callable[[str], Awaitable[None]] | None
    into: Path | None = None


class Fetches(Protocol):
    """What a guard is to whoever asks it."""

    loop: asyncio.AbstractEventLoop | None
    settings: Outbound

    async def fetch(self, wanted: Wanted) -> Document: ...


guard: Fetches | None = None
settings = Outbound()  # of requests outside of a worker, where there is no guard


@contextlib.contextmanager
def outbound(
    *, allow: Sequence[str] = (), ports: str = "80,443", max_bytes: int = 10_485_760, timeout_seconds: float = 30.0
) -> Iterator[None]:
    """Other rules than the default ones, for tests and scripts; a worker has those of its settings."""
    global settings  # noqa: PLW0603 - as with the guard there is one
    before = settings
    settings = Outbound(allow=tuple(allow), ports=ports, max_bytes=max_bytes, timeout_seconds=timeout_seconds)
    try:
        yield
    finally:
        settings = before
