"""Wait on a fact instead of the clock."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
LOOK_SECONDS = 0.02


async def eventually(fact: Callable[[], T | Awaitable[T]], within: float = 30.0) -> T:
    """The first true value of `fact`; AssertionError with its last value when the time is over.

    A wait is no measurement: it is long enough for a machine that is busy with other things.
    """
    deadline = time.monotonic() + within
    while True:
        found = fact()
        value = await found if inspect.isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {within} s; last seen: {value!r}")
        await asyncio.sleep(LOOK_SECONDS)
