"""Errors that cross from one process to another: told there, and made again here.

What the engine judges by crosses as what it is (PermanentError, RetryAfter, Snooze, Dramatiq's Retry, Refused); of any
other only its name, its words and its stack are kept, so that nothing has to be unpickled, and no class be imported
that one side does not know.
"""

from __future__ import annotations

import asyncio
import functools
from datetime import timedelta
from typing import Final

import dramatiq

from actors.attempts.verdict import trouble_of
from actors.ends import PermanentError, RetryAfter, Snooze
from actors.isolation.said import Kind, Told
from wire.errors import BrokerUnavailable, DatabaseUnavailable, ObjectStoreUnavailable, Refused

UNAVAILABLE: Final = {e.__name__: e for e in (BrokerUnavailable, DatabaseUnavailable, ObjectStoreUnavailable)}


class FromElsewhere(Exception):
    """An error of the other process; its own name is that of its class there."""

    told_stack: str | None = None


class ChildDied(Exception):
    """The child process ended, and the attempt with it."""


class TooMuchMemory(Exception):
    """The child process took more memory than its job type may, and was ended."""


def told(error: BaseException) -> Told:
    """What crosses of it."""
    trouble, kind, after, refused = trouble_of(error), _kind(error), None, None
    if isinstance(error, RetryAfter | Snooze):
        after = error.after.total_seconds()
    elif isinstance(error, dramatiq.Retry) and error.delay is not None:
        after = error.delay / 1000
    elif isinstance(error, Refused):
        refused = _text(error.field), _text(error.problem), _text(error.remedy), _text(error.code)
    stack = None if trouble.traceback is None else _text(trouble.traceback)
    return Told(kind, _text(trouble.type), _text(trouble.message), stack, after, refused)


def rebuilt(said: Told) -> BaseException:
    """An error that is judged as the one that was told of, and looks like it."""
    error = _made(said)
    if said.stack is not None:
        error.told_stack = said.stack  # type: ignore[attr-defined]
    return error


def _made(said: Told) -> BaseException:
    if said.kind == "cancelled":
        return asyncio.CancelledError(said.words)
    if said.refused is not None:
        field, problem, remedy, code = said.refused
        return Refused(field, problem, remedy, code=code)
    if said.kind == "again":
        return dramatiq.Retry(said.words, None if said.after is None else round(said.after * 1000))
    if said.type in UNAVAILABLE:
        return UNAVAILABLE[said.type](said.words)
    named = _named(said.type, said.kind)
    error = named.__new__(named, said.words)
    if isinstance(error, RetryAfter | Snooze):
        error.after = timedelta(seconds=said.after or 0.0)
    return error


def _kind(error: BaseException) -> Kind:
    for kind, base in _BASES.items():
        if isinstance(error, base):
            return kind
    if isinstance(error, dramatiq.Retry):
        return "again"
    if isinstance(error, Refused):
        return "refused"
    return "cancelled" if isinstance(error, asyncio.CancelledError) else "other"


_BASES: Final[dict[Kind, type[Exception]]] = {"permanent": PermanentError, "retry_after": RetryAfter, "snooze": Snooze}


@functools.cache  # of names that stand in the code
def _named(name: str, kind: Kind) -> type[Exception]:
    base = _BASES.get(kind, FromElsewhere)
    return base if name == base.__name__ else type(name, (base,), {"__module__": __name__})


def _text(said: str) -> str:
    """What can be sent: an error may quote anything."""
    return said.encode("utf-8", "replace").decode()
