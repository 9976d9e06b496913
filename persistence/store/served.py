"""The spans of statements that serve many jobs at once: one a statement, with links to the traces of those jobs.

A statement has a trace of its own: it is in no job's, because it is in all of theirs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from wire.spans import here, otlp
from wire.spans.recording import MOST_LINKS
from wire.tracing import Trace


class Served:
    """One statement, from now on."""

    __slots__ = ("_began", "_name")

    def __init__(self, name: str) -> None:
        self._name, self._began = name, time.time_ns()

    def ended(self, traces: Iterable[Trace], number: int) -> bytes:
        """It stands, and served so many jobs; the link to its span, or nothing where nobody records them."""
        links = list[bytes]()
        for trace in traces:
            if trace.recorded:
                links.append(otlp.link(trace.trace_id, trace.span_id))
                if len(links) == MOST_LINKS:
                    break
        if here.spans is None or not links:
            return b""
        return here.spans.served(self._name, self._began, links, number)
