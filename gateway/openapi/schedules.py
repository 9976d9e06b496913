"""The routes of schedules, described."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.answers.schedules import SCHEDULES
from gateway.entrance.query import MAX_TEXT
from gateway.openapi.operation import CURSOR, INSTANT, LIMIT, TEXT, UUID, Json, Operation, parameter
from gateway.openapi.submission import FIELDS as OF_A_JOB
from gateway.schedules.fields import LONGEST_WINDOW, MAX_DESCRIPTION, MOST_FAILURES, MOST_RUNS
from gateway.schedules.orders import BACKFILL_SCHEMA, MANY_SCHEMA, MOST_SHOWN, TRIGGER_SCHEMA
from persistence.schedules.schedule import CatchUp, Fate, Overlap, Standing
from wire.times.fields import LONGEST_WINDOW as LONGEST_DELAY
from wire.times.fields import MOST_CRONS, MOST_EXCLUSIONS, SHORTEST_INTERVAL

_MOMENT: Final = {"oneOf": [{"type": "string"}, {"type": "number"}]}
_NAMED_MOMENT: Final = "ISO 8601, or seconds since 1970; without an offset it is local time of `timezone`"
_TEXTS: Final = {"type": "string", "minLength": 1}
_DELAY: Final = {"type": "number", "minimum": 0, "maximum": LONGEST_DELAY, "default": 0}


def _words(words: Any, default: str, description: str) -> Json:
    return {"type": "string", "enum": list(words), "default": default, "description": description}


FIELDS: Final[Mapping[str, Json]] = {
    "id": {**UUID, "description": "Your id for the schedule"},
    "name": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "description": "For people; need not be unique"},
    "description": {"type": "string", "maxLength": MAX_DESCRIPTION},
    "job_type": OF_A_JOB["type"],
    "payload": {**OF_A_JOB["payload"], "description": "Of each job; judged by the job type's schema"},
    "priority": OF_A_JOB["priority"],
    "max_retries": OF_A_JOB["max_retries"],
    "timeout_seconds": OF_A_JOB["timeout_seconds"],
    "tags": OF_A_JOB["tags"],
    "cron_expression": {
        "oneOf": [_TEXTS, {"type": "array", "items": _TEXTS, "minItems": 1, "maxItems": MOST_CRONS}],
        "description": "One expression or several: 5 fields, 6 with seconds, or `@hourly`… as cron has them",
    },
    "interval_seconds": {"type": "number", "minimum": SHORTEST_INTERVAL, "description": "Counted from `starts_at`"},
    "once_at": {**_MOMENT, "description": _NAMED_MOMENT},
    "timezone": {"type": "string", "default": "UTC", "description": "An IANA name, such as Europe/Berlin"},
    "starts_at": {**_MOMENT, "description": f"The first instant that may be due. {_NAMED_MOMENT}"},
    "ends_at": {**_MOMENT, "description": f"The last instant that may be due. {_NAMED_MOMENT}"},
    "max_runs": {"type": "integer", "minimum": 1, "maximum": MOST_RUNS, "description": "So many, then it ends"},
    "exclude": {
        "type": "array", "items": _TEXTS, "maxItems": MOST_EXCLUSIONS,
        "description": "Dates (2030-12-24) or cron expressions at which it is not due",
    },
    "jitter_seconds": {**_DELAY, "description": "Each run is later by another part of this"},
    "spread_seconds": {**_DELAY, "description": "All runs are later by the same part of this, by the schedule's id"},
    "dst_gap": _words(("shift", "skip"), "shift", "What a local time does that a clock change leaves out"),
    "dst_overlap": _words(("first", "second", "both"), "first", "Which one counts of a local time that comes twice"),
    "overlap": _words(Overlap, "skip", "What a due time does that finds the run before still open"),
    "catch_up": _words(CatchUp, "latest", "Which due times are run that passed while no clock ran"),
    "catch_up_window_seconds": {
        "type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_WINDOW, "default": 86_400,
        "description": "How old they may be with `all`",
    },
    "pause_after_failures": {
        "type": "integer", "minimum": 1, "maximum": MOST_FAILURES, "description": "Pause when so many fail in a row",
    },
}  # fmt: skip
_SCHEDULE: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What is to be done, when, and how it behaves; exactly one of `cron_expression`, `interval_seconds` "
    "and `once_at`. Null is the same as leaving a field out.",
    "required": ["name", "job_type"],
    "properties": FIELDS,
    "additionalProperties": False,
}
_EDIT: Final = {
    **{name: said for name, said in _SCHEDULE.items() if name != "required"},
    "properties": {name: said for name, said in FIELDS.items() if name != "id"},
    "description": "The fields to change; null takes one back to what holds by itself",
}
_ASKED: Final = {
    "type": "object",
    "description": "When, as in a schedule; its other fields may stand beside it",
    "properties": {
        **FIELDS,
        "n": {"type": "integer", "minimum": 1, "maximum": MOST_SHOWN, "description": "How many due times"},
        "after": {**INSTANT, "description": "From when on; now, if it is left out"},
    },
    "additionalProperties": False,
}
_ECHO: Final = {"job_type": "echo", "payload": {"message": "hi"}}
EXAMPLES: Final[Json] = {
    "cron": {
        "value": {"name": "every Monday", **_ECHO, "cron_expression": "0 9 * * 1", "timezone": "Europe/Berlin"},
    },
    "interval": {"value": {"name": "every minute", **_ECHO, "interval_seconds": 60, "overlap": "buffer_one"}},
    "once": {"value": {"name": "New Year", **_ECHO, "once_at": "2099-01-01T00:00:00", "timezone": "Asia/Tokyo"}},
}


def _body(schema: Json, examples: Json | None = None, *, required: bool = True) -> Json:
    shown = {"examples": examples} if examples else {}
    return {"required": required, "content": {"application/json": {"schema": schema, **shown}}}


BODIES: Final[Mapping[str, Json]] = {
    "schedule": _body(_SCHEDULE, EXAMPLES),
    "edited schedule": _body(_EDIT, {"another time": {"value": {"cron_expression": "30 8 * * 1-5"}}}),
    "previewed schedule": _body(_ASKED, {"cron": {"value": {"cron_expression": "30 2 * * *", "n": 3}}}),
    "many schedules": _body(MANY_SCHEMA, {"noted": {"value": {"tag": "mail", "note": "the mail server is moved"}}}),
    "trigger": _body(TRIGGER_SCHEMA, required=False),
    "backfill": _body(
        BACKFILL_SCHEMA,
        {"a day": {"value": {"since": "2030-01-01T00:00:00Z", "until": "2030-01-02T00:00:00Z", "dry_run": True}}},
    ),
}

_ONE: Final = SCHEDULES + "/{id}"
_ID: Final = parameter("path", "id", UUID, "The schedule's id")
_MATCH: Final = parameter(
    "header", "If-Match", {"type": "string"}, "The ETag of the version that is edited; without it any is"
)
_SHOWN: Final = (
    parameter(
        "query", "n", {"type": "integer", "minimum": 1, "maximum": MOST_SHOWN, "default": 10}, "How many due times"
    ),
    parameter("query", "after", INSTANT, "From when on; now, if it is left out"),
)
_FILTERS: Final = (
    parameter("query", "state", {"type": "string", "enum": list(Standing)}, "How it stands"),
    parameter("query", "job_type", TEXT, "Job type"),
    parameter("query", "name", TEXT, "Its name"),
    parameter("query", "tag", TEXT, "A tag that it carries"),
    parameter("query", "since", INSTANT, "Made at this time or later"),
    LIMIT,
    CURSOR,
)
_OF_RUNS: Final = (
    parameter("query", "fate", {"type": "string", "enum": list(Fate)}, "What became of it"),
    LIMIT,
    CURSOR,
)
_MAKE_DETAIL: Final = """\
It is judged as each of its jobs would be: the job type must be known, and the payload fit its schema. Sent again with
the same `id` or idempotency key it answers 200 with the first schedule and `duplicate: true`."""
_KEY: Final = "Requests with the same key make one schedule; the id is derived from it"
_PUT_DETAIL: Final = "All of it; what is not said holds by itself. What has become of it stays: counts and runs."
_PATCH_DETAIL: Final = """\
Only what is said changes, and null takes a field back to what holds by itself. Of `cron_expression`, `interval_seconds`
and `once_at` the one that is sent stands for the others. A change of *when* counts from now on."""
_DELETE_DETAIL: Final = "Nothing of it fires after the answer. Jobs that it has made stay as they are."
_PAUSE_DETAIL: Final = """\
Nothing of it fires after the answer; what would have been due meanwhile is not missed, and not made up for."""
_RESUME_DETAIL: Final = "It goes on with the first due time from now on. One that was not paused stays as it is."
_TRIGGER_DETAIL: Final = """\
Its job now, in whatever state the schedule is, and beside a run that is still open. It is not counted in `max_runs`."""
_BACKFILL_DETAIL: Final = """\
Due times of the range that have run are left alone. The scheduler makes the others, oldest first; where runs may not
overlap they wait for one another. `dry_run` only counts them. At most 10,000 at a time."""
_PREVIEW_DETAIL: Final = "By the function that fires them: what is shown is what happens."
_BODY: Final = ("too_large", "unsupported_media", "slow_body")
_READ: Final = ("malformed", "not_found", "unavailable")
_CHANGE: Final = (*_READ, "foreign_origin")
_EDITS: Final = (*_CHANGE, "unknown_type", "changed", *_BODY)
_OURS: Final[dict[str, Any]] = {"tag": "schedules"}


def schedule_operations(key: Json, traceparent: Json) -> tuple[Operation, ...]:
    """The operations, with the headers that submissions share."""
    return (*_of_all(key), *_of_one(traceparent))


def _of_all(key: Json) -> tuple[Operation, ...]:
    made: dict[str, Any] = {"method": "post", "takes": "schedule", **_OURS}
    many: dict[str, Any] = {"method": "post", "takes": "many schedules", **_OURS}
    return (
        Operation("makeSchedule", SCHEDULES, "Make a schedule", "Schedule", status=201, also=((200, "Schedule"),),
                  detail=_MAKE_DETAIL, parameters=({**key, "description": _KEY},),
                  problems=("malformed", "unknown_type", "id_reused", "limit_reached", "foreign_origin", "unavailable",
                            *_BODY), **made),
        Operation("listSchedules", SCHEDULES, "List schedules, newest first", "ScheduleList", parameters=_FILTERS,
                  problems=("malformed", "unavailable"), **_OURS),
        Operation("previewUnsaved", SCHEDULES + "/preview", "When a schedule would be due", "Preview", method="post",
                  takes="previewed schedule", parameters=_SHOWN, detail=_PREVIEW_DETAIL,
                  problems=("malformed", "foreign_origin", *_BODY), **_OURS),
        Operation("pauseSchedules", SCHEDULES + "/pause", "Pause schedules by filter", "Changed", detail=_PAUSE_DETAIL,
                  problems=("malformed", "foreign_origin", "unavailable", *_BODY), **many),
        Operation("resumeSchedules", SCHEDULES + "/resume", "Resume schedules by filter", "Changed",
                  detail=_RESUME_DETAIL, problems=("malformed", "foreign_origin", "unavailable", *_BODY), **many),
    )  # fmt: skip


def _of_one(traceparent: Json) -> tuple[Operation, ...]:
    paused: dict[str, Any] = {"method": "post", "takes": "pause", "parameters": (_ID,), **_OURS}
    return (
        Operation("getSchedule", _ONE, "One schedule", "Schedule", parameters=(_ID,), problems=_READ, **_OURS),
        Operation("putSchedule", _ONE, "Say a schedule anew", "Schedule", method="put", takes="schedule",
                  parameters=(_ID, _MATCH), detail=_PUT_DETAIL, problems=_EDITS, **_OURS),
        Operation("patchSchedule", _ONE, "Edit a schedule", "Schedule", method="patch", takes="edited schedule",
                  parameters=(_ID, _MATCH), detail=_PATCH_DETAIL, problems=_EDITS, **_OURS),
        Operation("deleteSchedule", _ONE, "Delete a schedule", "", method="delete", status=204, parameters=(_ID,),
                  detail=_DELETE_DETAIL, problems=_CHANGE, **_OURS),
        Operation("pauseSchedule", _ONE + "/pause", "Pause a schedule", "Schedule", detail=_PAUSE_DETAIL,
                  problems=(*_CHANGE, *_BODY), **paused),
        Operation("resumeSchedule", _ONE + "/resume", "Resume a schedule", "Schedule", detail=_RESUME_DETAIL,
                  problems=(*_CHANGE, "wrong_state", *_BODY), **paused),
        Operation("triggerSchedule", _ONE + "/trigger", "Run a schedule's job now", "Run", method="post", status=202,
                  takes="trigger", parameters=(_ID, traceparent), detail=_TRIGGER_DETAIL,
                  problems=(*_CHANGE, "wrong_state", *_BODY), **_OURS),
        Operation("backfillSchedule", _ONE + "/backfill", "Run a past range of due times", "Backfill", method="post",
                  status=202, also=((200, "Backfill"),), takes="backfill", parameters=(_ID,), detail=_BACKFILL_DETAIL,
                  problems=(*_CHANGE, "wrong_state", *_BODY), **_OURS),
        Operation("previewSchedule", _ONE + "/preview", "When a schedule will be due", "Preview",
                  parameters=(_ID, *_SHOWN), detail=_PREVIEW_DETAIL, problems=(*_READ, "wrong_state"), **_OURS),
        Operation("listRuns", _ONE + "/runs", "A schedule's runs, newest due time first", "RunList",
                  parameters=(_ID, *_OF_RUNS), problems=_READ, **_OURS),
    )  # fmt: skip
