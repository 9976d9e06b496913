"""The shape of a log line: the event is a constant, values are keywords.

JSON for machines, columns for a terminal.  What looks like a secret is masked by its key, and a URL loses its
password, before a line is rendered.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEY = re.compile(r"password|secret|token|api[_-]?key|authorization|cookie", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?P<head>[a-z0-9+]+://[^:/@\s]*):[^\s,]+@", re.IGNORECASE)


def configure(role: str, level: str = "INFO", form: str = "auto") -> None:
    """Set up logging for this process; the standard library's loggers take the same shape."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    render: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for noisy in ("pika", "aio_pika", "aiormq", "dramatiq", "alembic", "asyncio", "aiohttp.access", "apscheduler"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # it logs a stack for each refused connection; we say it once
    structlog.contextvars.bind_contextvars(role=role)


def mask_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask by key and by pattern, before anything is rendered."""
    for key, value in event.items():
        event[key] = _masked(key, value)
    return event


def mask_url(text: str) -> str:
    return _URL_PASSWORD.sub(r"\g<head>:***@", text)


def _masked(key: str, value: object) -> object:
    if _SECRET_KEY.search(key):
        return "***"
    if isinstance(value, dict):
        return {name: _masked(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(key, inner) for inner in value]
    text = str(value) if isinstance(value, BaseException) else value  # an exception is rendered after this, by its repr
    return mask_url(text) if isinstance(text, str) and "://" in text else value
