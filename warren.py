"""Warren's public face: what a job's author imports, and the `warren` command.

    from warren import job, progress, PermanentError, RetryAfter, Snooze

Nothing is loaded before it is used, so a service that only wants one name does not pay for the engine.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from actors.context import context, progress
    from actors.ends import PermanentError, RetryAfter, Snooze
    from actors.job import job
    from actors.sender import broker

_HOMES = {
    "job": "actors.job",
    "context": "actors.context",
    "progress": "actors.context",
    "PermanentError": "actors.ends",
    "RetryAfter": "actors.ends",
    "Snooze": "actors.ends",
    "broker": "actors.sender",
}
__all__ = ["PermanentError", "RetryAfter", "Snooze", "broker", "context", "job", "progress"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'warren' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
