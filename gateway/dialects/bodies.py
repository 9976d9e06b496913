"""A body in their words, put into ours: a job or a schedule, name by name; values stay as they are, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from gateway.answers import encode
from gateway.dialects import frequency
from gateway.dialects.names import ASKS_FOR_A_CRAWL, ASKS_FOR_A_SCHEDULE, JOB_FIELDS, SCHEDULE_FIELDS
from wire import strict_json
from wire.errors import Refused

_ANY: Final = {*JOB_FIELDS, *SCHEDULE_FIELDS, *ASKS_FOR_A_SCHEDULE, *ASKS_FOR_A_CRAWL} - {"type"}
_OF_A_JOB: Final = re.compile(b'"(?:' + "|".join(sorted(_ANY)).encode() + b')"')
_OF_A_SCHEDULE: Final = re.compile(b'"(?:' + "|".join(sorted({*_ANY, "type"} - {"job_type"})).encode() + b')"')


@dataclass(frozen=True, slots=True)
class Said:
    """A body as our own routes have it, and the words it was sent in: ours → theirs."""

    body: bytes
    words: Mapping[str, str] = field(default_factory=dict)
    schedule: bool = False
    crawl: bool = False

    def in_their_words(self, refused: Refused) -> Refused:
        """The same refusal, naming the field as it was sent."""
        head, dot, rest = refused.field.partition(".")
        return Refused(self.words.get(head, head) + dot + rest, refused.problem, refused.remedy, code=refused.code)


def of_a_job(body: bytes, now: datetime) -> Said:
    """What POST /jobs was sent: a job, a schedule where it says when, or a crawl where it names articles."""
    if not _OF_A_JOB.search(body):
        return Said(body)
    if asks_for_a_crawl(body):
        return Said(body, crawl=True)
    fields = _fields(body)
    if not fields.keys().isdisjoint(ASKS_FOR_A_SCHEDULE):
        return _renamed(body, fields, SCHEDULE_FIELDS, now)
    return _renamed(body, fields, JOB_FIELDS)


def asks_for_a_crawl(body: bytes) -> bool:
    """Whether it names articles, by its outermost names alone: it may have megabytes, and is read by who takes it."""
    try:
        return not _decode(body).keys().isdisjoint(ASKS_FOR_A_CRAWL)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False  # whoever reads it next says what is wrong


def of_a_schedule(body: bytes, now: datetime) -> Said:
    """What a route of schedules was sent."""
    return _renamed(body, _fields(body), SCHEDULE_FIELDS, now) if _OF_A_SCHEDULE.search(body) else Said(body)


def _fields(body: bytes) -> Mapping[str, Any]:
    fields = strict_json.parse(body)  # refuses what the next reader would not see, such as a field that stands twice
    return fields if isinstance(fields, dict) else {}  # whoever reads it next says what it must be


def _renamed(body: bytes, fields: Mapping[str, Any], names: Mapping[str, str], now: datetime | None = None) -> Said:
    words = {ours: theirs for theirs, ours in names.items() if theirs in fields}
    for ours, theirs in words.items():
        if ours in fields:
            what = "schedule" if now else "job"
            raise Refused(theirs, f"and {ours} both stand for the {what}'s {ours}", "send one of them")
    timed = frequency.in_our_words(fields, now) if now else {}
    if not words and fields.keys().isdisjoint(frequency.NAMES):
        return Said(body, schedule=now is not None)  # it was a name inside of the payload
    raws = {names.get(name, name): raw for name, raw in _decode(body).items() if name not in frequency.NAMES}
    raws |= {ours: msgspec.Raw(encode(value)) for ours, (_, value) in timed.items()}
    return Said(encode(raws), words | {ours: theirs for ours, (theirs, _) in timed.items()}, now is not None)


_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
