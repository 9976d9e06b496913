"""Keep what an actor logs with its attempt, and tell in the log whose line it is.

Two ways lead here: structlog's lines come through a processor, the standard library's through a handler.  Both look at
the job in whose context the line was written; without one they do nothing.  A line is masked before it is kept.  What
is logged after the attempt's end is decided belongs to no attempt and is only in the process's log.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog
from structlog.typing import WrappedLogger

from actors.context import Context, current
from wire import logs
from wire.masks import mask_text, masked
from wire.slices import Logs as LogSettings

MOST_TEXT: Final = 8 * 1024  # of one line, in characters: a page that somebody logs must not push out all others
OWN: Final = frozenset({"event", "level", "timestamp", "logger", "role"})  # of our lines, told in their own places
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_words = logging.Formatter()


def configure(role: str, settings: LogSettings) -> None:
    """Set up this process's log."""
    logs.configure(role, settings.log_level, settings.log_format, ours=[keep], foreign=[name_the_job])


def install() -> None:
    """Listen to the standard library, and to structlog if a job module has set it up in its own way."""
    root = logging.getLogger()
    if not any(isinstance(handler, Keep) for handler in root.handlers):
        root.addHandler(Keep())
    found = structlog.get_config()
    by_way_of_stdlib = isinstance(found["logger_factory"], structlog.stdlib.LoggerFactory)
    if keep not in found["processors"] and not by_way_of_stdlib:
        *before, render = found["processors"]
        structlog.configure(processors=[*before, _keep_masked, render])


def keep(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog's processor: behind the masks, before the line is rendered."""
    job = current.get(None)
    if job is not None:
        if not job.over:
            fields = {name: value for name, value in event.items() if name not in OWN}
            where = (event.get("timestamp"), event.get("level"), event.get("logger"))
            _add(job, where, event.get("event"), fields)
        name_the_job(_, __, event)
    return event


def name_the_job(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say in the line whose it is; what the actor itself has said under these names stands."""
    job = current.get(None)
    if job is not None:
        for name, value in (
            ("job_id", str(job.job_id)), ("type", job.type), ("attempt", job.attempt), ("trace_id", job.trace.trace_id),
        ):  # fmt: skip
            event.setdefault(name, value)
    return event


def _keep_masked(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The same in a chain without masks, whose line goes on as it is."""
    keep(_, __, logs.mask_secrets(_, __, dict(event)))
    return event


class Keep(logging.Handler):
    """The standard library's lines."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Without the handler's lock, which threads would wait for; the lines have one each."""
        job = current.get(None)
        if job is not None and not job.over and self.filter(record):
            try:
                _add_record(job, record)
            except Exception:  # noqa: BLE001 - whatever is wrong with the line, the handler that writes it tells
                return False
        return True


def _add_record(job: Context, record: logging.LogRecord) -> None:
    at = datetime.fromtimestamp(record.created, UTC).isoformat()
    said = (
        record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
    )  # dict: structlog's, unrendered
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD and name[0] != "_"}
    fields |= {name: value for name, value in said.items() if name not in OWN}
    if record.exc_info:
        fields["exception"] = record.exc_text or _words.formatException(record.exc_info)
    if record.stack_info:
        fields["stack"] = record.stack_info
    fields = {name: masked(name, value) for name, value in fields.items()}
    _add(job, (at, record.levelname.lower(), record.name), masked("event", said.get("event")), fields)


def _add(job: Context, where: tuple[object, object, object], event: object, fields: Mapping[str, object]) -> None:
    at, level, logger = where
    line = {
        "at": _moment(at),
        "level": _short(str(level or "info")),
        "logger": None if logger is None else _short(str(logger)),
        "event": _short(str(event)),
        "fields": {str(name): _short(value) if isinstance(value, str) else value for name, value in fields.items()},
    }
    job.heard().add(_encoded(line))


def _moment(said: object) -> str:
    """When it was, if what the line says of it can be read again; a chain of the project's own may say anything."""
    if isinstance(said, str):
        with contextlib.suppress(ValueError):
            msgspec.convert(said, datetime)
            return said
    return datetime.now(UTC).isoformat()


def _encoded(line: dict[str, Any]) -> bytes:
    try:
        encoded = msgspec.json.encode(line, enc_hook=repr)
    except (TypeError, ValueError, OverflowError, RecursionError):  # what JSON cannot say: in words
        encoded = msgspec.json.encode(_in_words(line))
    return encoded if len(encoded) <= 2 * MOST_TEXT else msgspec.json.encode(_in_words(line))


def _in_words(line: dict[str, Any]) -> dict[str, Any]:
    fields, left = {}, MOST_TEXT
    for name, value in line["fields"].items():
        said = _sound(name)[:200], _sound(value if isinstance(value, str) else mask_text(repr(value)))[:left]
        left -= len(said[0]) + len(said[1])
        if left < 0:
            break
        fields[said[0]] = said[1]
    texts = {name: _sound(str(line[name])) for name in ("at", "level", "event")}
    return {**texts, "logger": line["logger"] and _sound(str(line["logger"])), "fields": fields}


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _short(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
