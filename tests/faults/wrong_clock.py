"""A real process whose wall clock is an hour off, ahead or behind: `python -m tests.faults.wrong_clock scheduler`.

It jumps every other second, as no clock does for long.  Both of Python's ways to ask are wrong, `time.time` and
`datetime.now`; the monotonic clock is left alone, because a kernel never sets it.
"""

from __future__ import annotations

import datetime
import runpy
import sys
import time
from typing import Any, Final

HOUR: Final = 3_600
OURS: Final = ("scheduler", "persistence", "wire")
_TRUE = time.time


def wrong() -> float:
    """An hour ahead in even seconds of the true time, an hour behind in odd ones."""
    now = _TRUE()
    return now + (HOUR if int(now) % 2 == 0 else -HOUR)


class _Like(type):
    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, datetime.datetime)


class WrongDatetime(datetime.datetime, metaclass=_Like):
    """What a module of ours finds under the name `datetime`; what it makes are datetimes like all others."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.datetime.fromtimestamp(wrong(), tz)


def mislead() -> None:
    """Our modules, but those whose `datetime` is a type to be decoded into."""
    time.time = wrong
    time.time_ns = lambda: int(wrong() * 1e9)
    for name, module in list(sys.modules.items()):
        ours = name.partition(".")[0] in OURS and not name.startswith("wire.times")
        if ours and hasattr(module, "datetime"):
            module.datetime = WrongDatetime  # type: ignore[attr-defined]


def main() -> None:
    del sys.argv[0]
    __import__(f"{sys.argv[0]}.__main__")  # with everything it needs, none of which has asked for the time yet
    mislead()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
