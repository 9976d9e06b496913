"""The shape of a log line: the event is a constant, values are keywords.

JSON for machines, columns for a terminal.  What looks like a secret is masked (masks.py) before a line is rendered.
Our own lines go straight to the stream: by way of the standard library's records one costs five times as much, and a
gateway writes one a request.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any, TextIO

import msgspec
import structlog

from wire.masks import masked


def configure(
    role: str,
    level: str = "INFO",
    form: str = "auto",
    *,
    ours: Sequence[structlog.types.Processor] = (),
    foreign: Sequence[structlog.types.Processor] = (),
) -> None:
    """Set up logging for this process; the standard library's loggers take the same shape.

    `ours` see each of structlog's lines behind the masks, `foreign` those of the standard library.
    """
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    render = _renderer(form)
    lines = _Lines(sys.stderr)
    structlog.configure(
        processors=[*shared, *ours, render],
        logger_factory=lambda *_: lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, *foreign],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    _quieten(level)
    structlog.contextvars.bind_contextvars(role=role)


def _renderer(form: str) -> structlog.types.Processor:
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    return structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(serializer=_json)


def _quieten(level: str) -> None:
    """Of libraries that tell each step, what somebody has to know."""
    for noisy in ("pika", "aio_pika", "aiormq", "dramatiq", "alembic", "asyncio", "aiohttp.access", "apscheduler"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # it logs a stack for each refused connection; we say it once


class _Lines:
    """Writes each line as it comes; a disk that is full or a reader that is gone fails nothing but the line."""

    def __init__(self, stream: TextIO) -> None:
        self._write, self._flush = stream.write, stream.flush

    def msg(self, line: str) -> None:
        try:
            self._write(line + "\n")
            self._flush()
        except (OSError, ValueError):
            pass

    debug = info = warning = error = critical = exception = msg


def _json(event: MutableMapping[str, Any], **options: Any) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=options["default"]).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):  # integers and text that JSON's readers may not take
        return json.dumps(event, ensure_ascii=False, **options)


def mask_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask by key and by pattern, before anything is rendered."""
    for key, value in event.items():
        if key != "timestamp":  # ours, in every line
            event[key] = masked(key, value)
    return event
