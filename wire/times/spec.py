"""What a person says about when a schedule is due, as a `When`; whatever is not clear is refused by name.

Exactly one of `cron_expression`, `interval_seconds` and `once_at`.  An instant without an offset is local time of the
schedule's `timezone`, which must then be given: a server's own zone is nobody's business.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from wire.errors import Refused
from wire.times import zones
from wire.times.fields import FIRST, READERS
from wire.times.fires import next_due
from wire.times.when import When

__all__ = ["FIELDS", "When", "parse", "said"]

FIELDS: Final = tuple(READERS)
_KINDS: Final = ("cron_expression", "interval_seconds", "once_at")
_INSTANTS: Final = ("once_at", "starts_at", "ends_at")


def parse(fields: Mapping[str, Any]) -> When:
    """The `When` in these fields, or Refused with the field and the remedy; null means not said."""
    _refuse_unknown(fields)
    values = {name: read(name, value) for name, read in READERS.items() if (value := fields.get(name)) is not None}
    _check_one_kind(values)
    for name in _INSTANTS:
        if name in values:
            values[name] = _placed(name, values[name], values)
    _check_together(values)
    when = When(cron=values.pop("cron_expression", ()), **values)
    _check_ever_due(when)
    return when


def said(when: When) -> dict[str, Any]:
    """The fields that `parse` would make this of, in JSON's own types; what holds by itself is left out."""
    crons = list(when.cron)
    every = {
        "cron_expression": crons[0] if len(crons) == 1 else crons or None,
        "interval_seconds": when.interval_seconds,
        "once_at": when.once_at,
        "timezone": when.timezone,
        "starts_at": when.starts_at,
        "ends_at": when.ends_at,
        "exclude": list(when.exclude) or None,
        "jitter_seconds": when.jitter_seconds or None,
        "spread_seconds": when.spread_seconds or None,
        "dst_gap": when.dst_gap,
        "dst_overlap": when.dst_overlap,
    }
    return {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in every.items()
        if value is not None
    }


def _refuse_unknown(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in READERS:
            near = difflib.get_close_matches(str(name)[:80], READERS, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"use some of {', '.join(READERS)}"
            raise Refused(str(name)[:80], "does not say when a schedule is due", remedy)


def _check_one_kind(values: Mapping[str, Any]) -> None:
    kinds = [name for name in _KINDS if name in values]
    if not kinds:
        raise Refused("cron_expression", "is missing", f"say when: one of {', '.join(_KINDS)}")
    if len(kinds) > 1:
        raise Refused(kinds[1], f"and {kinds[0]} both say when", "send one of them")


def _placed(name: str, instant: datetime, values: Mapping[str, Any]) -> datetime:
    """A local time in the schedule's zone, where the policies decide about the two days on which clocks change."""
    if instant.tzinfo:
        return instant
    if "timezone" not in values:
        problem = f"{instant.isoformat()} names no time zone"
        raise Refused(name, problem, "end it with Z or an offset such as +02:00, or send timezone")
    place = zones.zone(values["timezone"])
    early, late = (instant.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early > late:  # in a gap: each is read with the offset of the other side
        if values.get("dst_gap") == "skip":
            problem = f"{instant.isoformat()} does not exist in {values['timezone']}: its clocks jump over it"
            raise Refused(name, problem, "send another time, or dst_gap=shift")
        return zones.stretch(values["timezone"], early).begins
    return late if values.get("dst_overlap") == "second" else early


def _check_together(values: Mapping[str, Any]) -> None:
    starts, ends = values.get("starts_at"), values.get("ends_at")
    if starts and ends and ends < starts:
        raise Refused("ends_at", "is before starts_at", "send an end after the start")
    if starts and starts > values.get("once_at", starts):
        raise Refused("once_at", "is before starts_at", "leave starts_at out")
    interval, jitter = values.get("interval_seconds"), values.get("jitter_seconds", 0)
    if interval and jitter > interval:
        raise Refused("jitter_seconds", f"{jitter:g} is more than the interval", "runs would overtake each other")


def _check_ever_due(when: When) -> None:
    if when.exclude and next_due(when, when.starts_at or FIRST) is None and not when.ends_at:
        raise Refused("exclude", "leaves no due time", "exclude less")
    if when.ends_at and next_due(when, (when.starts_at or FIRST) - timedelta(microseconds=1)) is None:
        raise Refused("ends_at", "comes before the first due time", "send a later end, or none")
