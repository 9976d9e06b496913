"""What a client does with schedules: make one, look at when it will be due, edit, pause, trigger and delete it.

A schedule gets its id here, before the first try, and a trigger its instant, so that an answer that was lost makes
neither a second schedule nor a second run.  When a schedule is due is for the gateway to say; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypedDict, Unpack
from uuid import UUID

import msgspec

from gateway.client.failures import NotConfirmed
from gateway.client.link import Link, PerhapsGone, path_of
from gateway.client.schedule_replies import Preview, Run, RunPage, Schedule, SchedulePage
from wire import strict_json
from wire.asked import Named, name_of
from wire.errors import Unavailable
from wire.identity import fresh_id

SCHEDULES: Final = "/api/v1/schedules"
Moment = datetime | str | float
Length = float | timedelta


class ScheduleSaid(TypedDict, total=False):
    """What may be said of a schedule; exactly one of `cron_expression`, `interval_seconds` and `once_at` says when."""

    description: str | None
    priority: int | str | None
    max_retries: int | None
    timeout_seconds: Length | None
    tags: Sequence[str] | None
    cron_expression: str | Sequence[str] | None
    interval_seconds: Length | None
    once_at: Moment | None
    timezone: str | None
    starts_at: Moment | None
    ends_at: Moment | None
    max_runs: int | None
    exclude: Sequence[str] | None
    jitter_seconds: Length | None
    spread_seconds: Length | None
    dst_gap: Literal["shift", "skip"] | None
    dst_overlap: Literal["first", "second", "both"] | None
    overlap: Literal["allow", "skip", "buffer_one", "buffer_all", "cancel_previous"] | None
    catch_up: Literal["none", "latest", "all"] | None
    catch_up_window_seconds: Length | None
    pause_after_failures: int | None


class ScheduleEdit(ScheduleSaid, total=False):
    """The same, and what a schedule has to have."""

    name: str
    job_type: str | Named
    payload: Any


class ScheduleCalls:
    """The calls of a client that are about schedules."""

    _link: Link

    async def make_schedule(
        self,
        name: str,
        job_type: str | Named,
        payload: object = None,
        *,
        id: UUID | str | None = None,
        **said: Unpack[ScheduleSaid],
    ) -> Schedule:
        """Make a schedule and return it as it stands; NotConfirmed when nobody said that it is there."""
        schedule_id = fresh_id() if id is None else UUID(str(id))
        fields = {"id": schedule_id, "name": name, "job_type": name_of(job_type), "payload": _payload(payload), **said}
        try:
            return _schedule((await self._link.ask("POST", SCHEDULES, _body(fields)))[0])
        except Unavailable as e:
            raise NotConfirmed(schedule_id, None, str(e), what="schedule") from e

    async def schedule(self, schedule_id: UUID | str) -> Schedule:
        """The schedule as it stands, and in words why it fires or does not; or NotFound."""
        return _schedule((await self._link.ask("GET", path_of(SCHEDULES, schedule_id)))[0])

    async def schedules(
        self,
        *,
        state: str | None = None,
        job_type: str | Named | None = None,
        name: str | None = None,
        tag: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SchedulePage:
        """A page of schedules, newest first."""
        said = {
            "state": state, "job_type": job_type, "name": name, "tag": tag, "since": since, "limit": limit,
            "cursor": cursor,
        }  # fmt: skip
        return msgspec.json.decode((await self._link.ask("GET", SCHEDULES, None, said))[0], type=SchedulePage)

    async def edit_schedule(self, schedule_id: UUID | str, **said: Unpack[ScheduleEdit]) -> Schedule:
        """Change what is said and nothing else; None takes a field back to what holds by itself."""
        fields: dict[str, Any] = dict(said)
        if "job_type" in fields:
            fields["job_type"] = name_of(fields["job_type"])
        if "payload" in fields:
            fields["payload"] = _payload(fields["payload"])
        body = _body(fields, keep_nulls=True)
        return _schedule((await self._link.ask("PATCH", path_of(SCHEDULES, schedule_id), body))[0])

    async def delete_schedule(self, schedule_id: UUID | str) -> None:
        """Delete it; the jobs that it has made stay."""
        try:
            await self._link.ask("DELETE", path_of(SCHEDULES, schedule_id))
        except PerhapsGone:
            return

    async def pause_schedule(
        self, schedule_id: UUID | str, note: str | None = None, *, by: str | None = None
    ) -> Schedule:
        """Let it stand still; the schedule as it stands then."""
        return await self._change_schedule(schedule_id, "pause", {"note": note, "by": by})

    async def resume_schedule(self, schedule_id: UUID | str) -> Schedule:
        """Let it go on with the first due time from now on."""
        return await self._change_schedule(schedule_id, "resume", {})

    async def trigger_schedule(self, schedule_id: UUID | str) -> Run:
        """Run its job now."""
        body = _body({"at": datetime.now(UTC)})
        return msgspec.json.decode((await self._link.ask("POST", _path(schedule_id, "trigger"), body))[0], type=Run)

    async def backfill_schedule(
        self, schedule_id: UUID | str, since: datetime, until: datetime, *, dry_run: bool = False
    ) -> int:
        """Run the due times of a past range that have no run; how many that are."""
        body = _body({"since": since, "until": until, "dry_run": dry_run})
        answer, _ = await self._link.ask("POST", _path(schedule_id, "backfill"), body)
        return int(msgspec.json.decode(answer)["runs"])

    async def schedule_runs(
        self, schedule_id: UUID | str, *, fate: str | None = None, limit: int | None = None, cursor: str | None = None
    ) -> RunPage:
        """A page of its runs, newest due time first, each with its job's state."""
        said = {"fate": fate, "limit": limit, "cursor": cursor}
        answer, _ = await self._link.ask("GET", _path(schedule_id, "runs"), None, said)
        return msgspec.json.decode(answer, type=RunPage)

    async def preview_schedule(
        self, schedule_id: UUID | str | None = None, *, n: int = 10, after: datetime | None = None,
        **said: Unpack[ScheduleSaid],
    ) -> Preview:  # fmt: skip
        """When a schedule will be due: one that is there, or one that is only said here."""
        asked = {"n": n, "after": after}
        if schedule_id is not None:
            if said:
                raise TypeError("preview_schedule() takes the id of a schedule, or what one would be, not both")
            answer, _ = await self._link.ask("GET", _path(schedule_id, "preview"), None, asked)
        else:
            answer, _ = await self._link.ask("POST", f"{SCHEDULES}/preview", _body(dict(said)), asked)
        return msgspec.json.decode(answer, type=Preview)

    async def _change_schedule(self, schedule_id: UUID | str, verb: str, said: Mapping[str, object]) -> Schedule:
        return _schedule((await self._link.ask("POST", _path(schedule_id, verb), _body(said)))[0])


def _path(schedule_id: UUID | str, verb: str) -> str:
    return f"{path_of(SCHEDULES, schedule_id)}/{verb}"


def _payload(value: object) -> msgspec.Raw | None:
    return None if value is None else msgspec.Raw(strict_json.encode(value, "payload", around=1).encode())


def _body(fields: Mapping[str, Any], *, keep_nulls: bool = False) -> bytes:
    said = {name: value for name, value in fields.items() if keep_nulls or value is not None}
    plain = {name: one.total_seconds() if isinstance(one, timedelta) else one for name, one in said.items()}
    return msgspec.json.encode(plain)


def _schedule(body: bytes) -> Schedule:
    return msgspec.json.decode(body, type=Schedule)
