"""Export spans on a thread of its own, ours and the library's alike.

The library's batch processor would do, but it writes a warning for every span that finds its queue full, which a
collector that is away would make the lane pay for; and it takes one span at a time.  Here what finds no room is counted
and told once in a while.  The same `OTEL_BSP_*` variables say how much is kept, how much goes at once and how often.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

log = structlog.get_logger()

TELL_SECONDS: Final = 60.0
END_SECONDS: Final = 5.0  # what a collector may take at the end of a process
AWAY_SECONDS: Final = 0.5  # what one may that did not answer before
SLOW_SECONDS: Final = 1.0

Export = Callable[[Sequence[Any]], bool]


class Exporting(SpanProcessor):
    """A bounded queue and its thread; `put` never waits."""

    def __init__(self, export: Export, close: Callable[[], None], *, most: int, piece: int, seconds: float) -> None:
        self._export, self._close, self._most, self._piece, self._seconds = export, close, most, piece, seconds
        self._queue: deque[Any] = deque()
        self._awake, self._stopped, self._sending = threading.Event(), False, threading.Lock()
        self._dropped, self._told = 0, -TELL_SECONDS
        self._away, self._since = False, 0.0  # what became of the last piece; since when one is under way
        self._thread = threading.Thread(target=self._work, name="spans", daemon=True)
        self._thread.start()

    def put(self, spans: Sequence[Any]) -> None:
        room = self._most - len(self._queue)
        if room < len(spans):
            self._dropped += len(spans) - max(0, room)
            spans = spans[: max(0, room)]
        self._queue.extend(spans)
        if len(self._queue) >= self._piece and not self._awake.is_set():
            self._awake.set()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing: a span is taken when it has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is not None and span.context.trace_flags.sampled:
            self.put((span,))

    def shutdown(self) -> None:
        """Send what is left, for at most a few seconds; a second time is fine."""
        if not self._stopped:
            since = self._since
            away = self._away or (since and time.monotonic() - since > SLOW_SECONDS)
            self._stopped = True
            self._awake.set()
            self._thread.join(AWAY_SECONDS if away else END_SECONDS)
            self._close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        self._send(at_least=1)
        return not self._queue

    def _work(self) -> None:
        contexts.attach(contexts.set_value(contexts._SUPPRESS_INSTRUMENTATION_KEY, True))  # or it traces itself
        while not self._stopped:
            woken = self._awake.wait(self._seconds)
            self._awake.clear()
            self._send(at_least=self._piece if woken else 1)
            self._tell()
        self._send(at_least=1)

    def _send(self, at_least: int) -> None:
        with self._sending:
            while len(self._queue) >= at_least:
                piece = [self._queue.popleft() for _ in range(min(self._piece, len(self._queue)))]
                self._since = time.monotonic()
                try:
                    self._away = not self._export(piece)
                except Exception:  # the spans of this piece are lost, as spans may be; those behind them are not
                    self._away = True
                    log.warning("spans_not_exported", spans=len(piece), exc_info=True)
                self._since = 0.0
                self._dropped += len(piece) if self._away else 0

    def _tell(self) -> None:
        now = time.monotonic()
        if self._dropped and now - self._told > TELL_SECONDS:
            dropped, self._dropped, self._told = self._dropped, 0, now
            log.warning("spans_dropped", spans=dropped)
