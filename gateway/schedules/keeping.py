"""Make and change schedules: judged as a whole, written at once, and never over somebody else's edit.

An edit reads what stands, lays itself over it and writes if nobody has changed it meanwhile; a client that says which
version it has seen (`If-Match`) is told of such a change, for others it is tried again.  Whoever changes *when* begins
with the first due time from now on; whoever changes something else leaves even a due time that is just being fired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace as with_fields

from gateway.entrance.access import LOCAL
from gateway.entrance.problems import Refusal
from gateway.schedules import request
from gateway.schedules.judge import Judge, check_ever_due, coming
from gateway.schedules.request import Asked, readable_when, when_in
from persistence.schedules import change, make, read
from persistence.schedules.schedule import NEVER, Next, Plan, Schedule
from persistence.store.database import Database
from wire.errors import Refused
from wire.identity import fresh_id, id_from_key

TRIES: Final = 5

Edit = Callable[[Schedule], Asked]


class Keeper:
    """Makes schedules of what clients send, and changes them."""

    def __init__(self, judge: Judge, database: Database, most_per_key: int) -> None:
        self._judge, self._database, self._most = judge, database, most_per_key

    async def make(self, body: bytes, *, scope: str, key: str | None) -> tuple[Schedule, bool]:
        """The schedule, and whether it was there already; Refused or Refusal."""
        asked = request.read(body)
        schedule_id = _id(asked, scope, key)
        if (asked.id or key) and (known := await read.get(self._database, schedule_id)):
            return _the_same(known, asked), True
        await self._judge.check(asked.plan)
        now = await self._database.now()  # whose clock decides what is due: by ours the first could be past already
        first = coming(_anchored(asked, now).when, schedule_id, now)
        check_ever_due(asked, first)
        owner = "" if scope == LOCAL else scope
        await self._check_number(owner)
        made = await make.create(self._database, schedule_id, _anchored(asked, now).plan, first, owner)
        if made is None:  # the same request came twice at once
            return _the_same(await self.existing(schedule_id), asked), True
        return made, False

    async def put(self, schedule_id: UUID, body: bytes, version: int | None) -> Schedule:
        """The schedule with everything as this says."""
        asked = request.read(body)
        if asked.id not in (None, schedule_id):
            raise Refused("id", f"{asked.id} is not the schedule of this address", "leave it out")
        return await self._change(schedule_id, lambda _: asked, version)

    async def patch(self, schedule_id: UUID, body: bytes, version: int | None) -> Schedule:
        """The schedule with this laid over it."""
        return await self._change(schedule_id, lambda before: request.edited(before, body), version)

    async def existing(self, schedule_id: UUID) -> Schedule:
        """The schedule, or Refusal."""
        found = await read.get(self._database, schedule_id)
        if found is None:
            raise no_schedule(schedule_id)
        return found

    async def _change(self, schedule_id: UUID, edit: Edit, version: int | None) -> Schedule:
        for _ in range(TRIES):
            before = await self.existing(schedule_id)
            asked = _anchored(edit(before), _since(before))
            await self._judge.check(asked.plan)
            if version not in (None, before.version):  # after its faults: those stay, whatever version it is
                raise _changed(before)
            first = next_of(replace(before, plan=asked.plan), await self._database.now())
            after = await change.change(self._database, before, asked.plan, first)
            if after is not None:
                return after
        raise _changed(await self.existing(schedule_id))

    async def _check_number(self, owner: str) -> None:
        if owner and await make.owned(self._database, owner) >= self._most:
            detail = f"this API key has {self._most} schedules, which is as many as it may have"
            remedy = "delete some, or let the operator raise WARREN_SCHEDULES_PER_KEY"
            raise Refusal("limit_reached", detail, remedy=remedy)


def no_schedule(schedule_id: UUID) -> Refusal:
    return Refusal("not_found", f"there is no schedule {schedule_id}", field="id", remedy="it may have been deleted")


def next_of(schedule: Schedule, now: datetime) -> Next:
    """What is due next of one that stands still, or has just been resumed."""
    most = schedule.plan.max_runs
    if most is not None and schedule.fired >= most:
        return NEVER
    return coming(when_in(schedule.plan), schedule.id, now)


def _id(asked: Asked, scope: str, key: str | None) -> UUID:
    derived = id_from_key(f"{scope}\nschedule", key) if key else None
    if derived and asked.id and derived != asked.id:
        raise Refused("id", "and the idempotency key both name the schedule", "send one of them")
    return derived or asked.id or fresh_id()


def _anchored(asked: Asked, since: datetime) -> Asked:
    """An interval counts from its start, or from when the schedule was made."""
    if asked.when.interval_seconds is None or asked.when.starts_at or asked.when.anchor:
        return asked
    when = with_fields(asked.when, anchor=since)
    return asked._replace(when=when, plan=replace(asked.plan, spec=msgspec.json.encode(when).decode()))


def _since(schedule: Schedule) -> datetime:
    """From when on its intervals are counted, whatever is edited."""
    when = readable_when(schedule.plan)
    return (when and when.anchor) or schedule.created_at


def _the_same(known: Schedule, asked: Asked) -> Schedule:
    if _without_anchor(known.plan) != _without_anchor(asked.plan):
        problem = f"{known.id} is a schedule that says something else"
        raise Refused("id", problem, "use another id or key, or PUT it", code="id_reused")
    return known


def _without_anchor(plan: Plan) -> tuple[Plan, object]:
    return replace(plan, spec=""), with_fields(when_in(plan), anchor=None)


def _changed(schedule: Schedule) -> Refusal:
    detail = f"schedule {schedule.id} is at version {schedule.version} by now"
    return Refusal("changed", detail, field="If-Match", remedy="read it again, and edit what stands there")
