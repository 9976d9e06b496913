"""Read a schedule from a body, as strictly as a job: a typo in `timezone` must not fire at another hour.

A whole schedule is made of one body; an edit is a body laid over what stood before, where null takes a field back to
what holds by itself.  The payload's bytes stay as they were sent.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from gateway.entrance.problems import Refusal
from gateway.schedules.fields import ALL, KINDS, READERS, REQUIRED
from persistence.schedules.schedule import Plan, Schedule
from wire import strict_json
from wire.envelope import payload_of
from wire.errors import Refused
from wire.fields import kind
from wire.times.spec import FIELDS as WHEN
from wire.times.spec import parse, said
from wire.times.when import When


class Asked(NamedTuple):
    """A schedule as it was asked for, and the id that its sender chose."""

    plan: Plan
    when: When
    id: UUID | None = None


def read(body: bytes) -> Asked:
    """The schedule in these bytes, or Refused."""
    fields = fields_of(body)
    return _asked(fields, _payload(body, fields))


def edited(before: Schedule, body: bytes) -> Asked:
    """The schedule as it will be when this is laid over it, or Refused."""
    fields = fields_of(body)
    if "id" in fields:
        raise Refused("id", "cannot be edited", "leave it out")
    kept = _said_of(before.plan)
    if any(fields.get(name) is not None for name in KINDS):
        kept = {name: value for name, value in kept.items() if name not in KINDS}
    payload = _payload(body, fields) if "payload" in fields else before.plan.payload
    return _asked(kept | fields, payload)


def readable_when(plan: Plan) -> When | None:
    """When it is due, as it is kept; None where nobody can read that any more."""
    try:
        return msgspec.json.decode(plan.spec, type=When)
    except msgspec.MsgspecError:
        return None


def when_in(plan: Plan) -> When:
    """The same, or Refusal."""
    when = readable_when(plan)
    if when is None:
        raise Refusal("wrong_state", "nobody can tell when it is due", field="id", remedy="say it anew, by PUT")
    return when


def when_of(body: bytes) -> tuple[When, dict[str, Any]]:
    """Only when, for a preview, and the other fields as they were sent; what is said beside it is read too."""
    fields = fields_of(body, also=("n", "after"))
    for name, value in fields.items():
        if name in READERS and value is not None:
            READERS[name](name, value)
    return parse(_of(fields, WHEN)), fields


def fields_of(body: bytes, also: tuple[str, ...] = ()) -> dict[str, Any]:
    """All fields, each of them known."""
    fields = strict_json.parse(body)
    if not isinstance(fields, dict):
        raise Refused("body", f"must be a JSON object, got {kind(fields)}", "send the fields of a schedule")
    known = (*ALL, *also)
    for name in fields:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            told = f"a schedule knows {', '.join(known)}"
            raise Refused(name[:80], "is not a field of a schedule", f"{near[0]}? {told}" if near else told)
    return fields


def _asked(fields: Mapping[str, Any], payload: bytes) -> Asked:
    values = {name: read(name, value) for name, read in READERS.items() if (value := fields.get(name)) is not None}
    for name in REQUIRED:
        if name not in values:
            raise Refused(name, "is missing", f"every schedule has a {name}")
    when, given = parse(_of(fields, WHEN)), values.pop("id", None)
    return Asked(Plan(**values | {"payload": payload}, spec=msgspec.json.encode(when).decode()), when, given)


def _payload(body: bytes, fields: Mapping[str, Any]) -> bytes:
    sent = fields.get("payload")
    if sent is None:
        return b"{}"
    return sent.encode() if isinstance(sent, str) else payload_of(body)


def _of(fields: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in names}


def _said_of(before: Plan) -> dict[str, Any]:
    """What a client would send to have it as it is; the payload is kept beside it."""
    own = {name: getattr(before, name) for name in READERS if name not in ("id", "payload", "tags")}
    when = readable_when(before)
    return {**own, "tags": list(before.tags), **(said(when) if when else {})}
