"""What a process records: it takes ended spans and hands them to the exporter's thread.  Knows no OpenTelemetry."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from wire.randomness import random_bytes
from wire.spans import names, otlp
from wire.spans.otlp import Span

MOST_LINKS: Final = 128  # of a statement that served more jobs than that; the specification's own bound


class Recording:
    """Of one process.

    `keeps` says of a trace that begins here whether it is recorded, `follows` of one that somebody else began;
    `surround` puts the caller's context into a trace, so that what an instrumented library records is of it.
    """

    def __init__(
        self,
        put: Callable[[Sequence[Span]], None],
        *,
        keeps: Callable[[str], bool],
        follows: Callable[[str, str, bool], bool],
        surround: Callable[..., object],
    ) -> None:
        self.put, self.keeps, self.follows, self.surround = put, keeps, follows, surround

    def served(self, name: str, began: int, links: Sequence[bytes], number: int) -> bytes:
        """Record one statement that served many jobs, now that it has ended; the link to it, for theirs."""
        trace_id, span_id = random_bytes().hex(), fresh_span_id()
        said = otlp.word(names.DATABASE_OPERATION, name) + otlp.attribute(names.BATCH_SIZE, number)
        rest = b"".join((STORE, said, *links[:MOST_LINKS]))
        self.put([Span(trace_id, span_id, "", otlp.name_of(name), otlp.CLIENT, began, time.time_ns(), rest)])
        return otlp.link(trace_id, span_id)


STORE: Final = otlp.attribute(names.DATABASE, "postgresql")


def fresh_span_id() -> str:
    return random_bytes()[:8].hex()
