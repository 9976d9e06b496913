"""Which trace a job belongs to: W3C trace context in and out of headers.

Every job has a trace from the moment it is accepted, so that `trace_id` can be stored and shown even where no collector
runs.  A header that is not valid W3C is ignored, never an error: a trace must not cost a job.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"

_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?P<trace>(?!0{32})[0-9a-f]{32})-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One place in a trace: whoever is handed it becomes the child of `span_id`."""

    trace_id: str
    span_id: str
    flags: str = "01"
    state: str = ""

    @classmethod
    def begin(cls) -> Trace:
        return cls(secrets.token_hex(16), secrets.token_hex(8))

    @classmethod
    def of(cls, headers: Mapping[str, object]) -> Trace | None:
        """The trace these headers name, if they name one."""
        match = _PARENT.fullmatch(_text(headers.get(TRACEPARENT)))
        if not match:
            return None
        return cls(match["trace"], match["span"], match["flags"], _text(headers.get(TRACESTATE))[:512])

    @property
    def parent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"

    def headers(self) -> dict[str, str]:
        headers = {TRACEPARENT: self.parent}
        if self.state:
            headers[TRACESTATE] = self.state
        return headers


def _text(value: object) -> str:
    """Printable ASCII, which is all that W3C allows; anything else might be what Postgres cannot store."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text if isinstance(text, str) and text.isascii() and text.isprintable() else ""
