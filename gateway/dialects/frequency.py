"""`frequency` and `next_run_time`, in our words.

`once` starts at `next_run_time`, and at once where that has passed, as there; `cron` and `interval` repeat, from
`next_run_time` on if it is said.  Where a name says what kind of job it is (`name` and `frequency`, without a type), it
is the type too.  An instant is left to whoever reads `once_at`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.dialects.names import FREQUENCY, NEXT_RUN_TIME
from wire.errors import Refused

NAMES: Final = (FREQUENCY, NEXT_RUN_TIME)
SOON: Final = timedelta(seconds=1)  # what is due when it is made has passed by then
_CRON: Final = ("cron_expression", "cron")
_INTERVAL: Final = ("interval_seconds",)
_NEEDS: Final = {"once": (NEXT_RUN_TIME,), "cron": _CRON, "interval": _INTERVAL}

Timed = dict[str, tuple[str, object]]  # ours → the name that it was sent under, and its value


def in_our_words(fields: Mapping[str, Any], now: datetime) -> Timed:
    """What the two say, or Refused where they and the other fields do not agree."""
    said, repeats = fields.get(FREQUENCY), [name for name in (*_CRON, *_INTERVAL) if fields.get(name) is not None]
    if said is None and fields.get(NEXT_RUN_TIME) is None:
        return {}
    if said is not None:
        _check(said, fields, repeats)
    timed: Timed = {}
    if (at := fields.get(NEXT_RUN_TIME)) is not None:
        if repeats and said is None:
            raise Refused(NEXT_RUN_TIME, f"and {repeats[0]} both say when", "send one of them, or starts_at beside it")
        timed["starts_at" if repeats else "once_at"] = (NEXT_RUN_TIME, at if repeats else _not_past(at, now))
    if "name" in fields and fields.keys().isdisjoint(("type", "job_type")):
        timed["job_type"] = ("name", fields["name"])
    return timed


def _check(said: object, fields: Mapping[str, Any], repeats: list[str]) -> None:
    if not isinstance(said, str) or said not in _NEEDS:
        raise Refused(FREQUENCY, f"{str(said)[:60]!r} is not understood", f"use one of {', '.join(_NEEDS)}")
    needs = _NEEDS[said]
    if all(fields.get(name) is None for name in needs):
        raise Refused(FREQUENCY, f"is {said}, and {needs[0]} is missing", f"send {needs[0]}")
    for name in repeats:
        if name not in needs:
            raise Refused(name, f"does not go with a frequency of {said}", "leave one of them out")


def _not_past(at: object, now: datetime) -> object:
    """The instant, or a moment from now if it has passed; what is none is refused by whoever reads it."""
    soonest = now + SOON
    if isinstance(at, int | float) and not isinstance(at, bool):
        return max(at, soonest.timestamp())
    try:
        return soonest.isoformat() if isinstance(at, str) and datetime.fromisoformat(at) < soonest else at
    except (ValueError, TypeError):  # not an instant, or one without a zone
        return at
