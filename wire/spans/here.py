"""Whether this process records spans, and with what; as with its log there is one, set once where it begins."""

from __future__ import annotations

from wire.spans.recording import Recording

spans: Recording | None = None
