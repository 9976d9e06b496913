"""The routes that explain one job, described, each with an example.

A test holds the examples and the structs together.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.answers.jobs import JOBS
from gateway.openapi.operation import Json, Operation

_WHY_DETAIL: Final = """\
One sentence for people, one word (`cause`) for programs, and the facts behind both, all of one moment. `also` tells
what else would keep the job from running. The number of jobs ahead is an upper bound, found by index: it costs the same
in a queue of a million. docs/why.md tells what each cause means and what to do about it."""
_TIMELINE_DETAIL: Final = """\
What has happened to the job, in order, with the time between the events and what it was spent with; an event behind
`now` is still to come. Only what was written down: when its message reached RabbitMQ is in its trace."""
_READ: Final = ("malformed", "not_found", "unavailable")

_ID: Final = "019aa5d2-6f00-7c4e-9d3a-2b1f0c8e7a61"
_PATH: Final = f"{JOBS}/{_ID}"
_FAULT: Final = {"type": "HTTPStatusError", "message": "HTTP 503"}
_WHY: Final[dict[str, Any]] = {
    "id": _ID,
    "sentence": "It waits in the ladder until 12:03:10 UTC for attempt 3 of 4, because attempt 2 failed: HTTP 503.",
    "cause": "retry_wait",
    "also": [
        {
            "cause": "queue_paused",
            "sentence": "The queue mail is paused since 11:58:02 UTC by ada: the mail server is being moved.",
        }
    ],
    "now": "2026-11-21T12:03:05.120Z",
    "type": "mail.send",
    "queue": "mail",
    "state": "retrying",
    "reason": None,
    "priority": 5,
    "attempt": 2,
    "max_attempts": 4,
    "created_at": "2026-11-21T12:03:00Z",
    "due_at": "2026-11-21T12:03:10Z",
    "started_at": "2026-11-21T12:03:04.500Z",
    "finished_at": None,
    "expires_at": None,
    "cancel_requested_at": None,
    "error": _FAULT,
    "progress": None,
    "last_attempt": {
        "attempt": 2,
        "outcome": "retry",
        "reason": None,
        "worker": "mail-1:4711",
        "finished_at": "2026-11-21T12:03:05Z",
        "error": _FAULT,
    },
    "worker": None,
    "workers": {
        "serving": 2, "consuming": 0, "draining": 0, "slots": 0, "free_slots": 0,
        "last_seen_at": "2026-11-21T12:03:04Z",
    },
    "ahead": None,
    "turn": None,
    "queue_paused": {
        "paused_at": "2026-11-21T11:58:02Z", "paused_by": "ada", "note": "the mail server is being moved",
    },
    "type_paused": None,
    "outbox": None,
    "rescues": 0,
    "broker": {"connected": True, "alarm": False},
    "schedule": {
        "id": "019aa5d1-0000-7c4e-9d3a-2b1f0c8e7a61",
        "name": "every Saturday",
        "due_at": "2026-11-21T12:03:00Z",
        "sentence": "It is paused since 12:03:02 UTC by ada: the mail server is being moved.",
        "link": "/api/v1/schedules/019aa5d1-0000-7c4e-9d3a-2b1f0c8e7a61",
    },
    "links": {"self": f"{_PATH}/why", "job": _PATH, "timeline": f"{_PATH}/timeline"},
}  # fmt: skip


def _event(event: str, at: str, after: float, spent: str | None, sentence: str, **more: Any) -> Json:
    named = dict.fromkeys(("attempt", "lease", "worker", "outcome", "reason", "error"))
    first = {"event": event, "at": at, "after_seconds": after, "spent": spent, "sentence": sentence}
    return {**first, **named, **more}


_RUN: Final[dict[str, Any]] = {"attempt": 1, "lease": 1, "worker": "mail-1:4711"}
_TIMELINE: Final[dict[str, Any]] = {
    "id": _ID,
    "type": "mail.send",
    "state": "retrying",
    "now": "2026-11-21T12:03:01Z",
    "phase": "retry_wait",
    "spent_seconds": {"delayed": 0.0, "queued": 0.005, "running": 0.495, "retry_wait": 0.5},
    "events": [
        _event("accepted", "2026-11-21T12:03:00Z", 0.0, None, "It was accepted."),
        _event(
            "started", "2026-11-21T12:03:00.005Z", 0.005, "queued", "Attempt 1 started on worker mail-1:4711.", **_RUN
        ),
        _event(
            "ended", "2026-11-21T12:03:00.500Z", 0.495, "running",
            "Attempt 1 failed, and it is tried again: HTTP 503.", **_RUN, outcome="retry", error=_FAULT,
        ),
        _event("due", "2026-11-21T12:03:02.640Z", 2.14, "retry_wait", "It will be due."),
    ],
    "trace_id": "5f2b1c0a9d8e4f7a6b3c2d1e0f9a8b7c",
    "links": {
        "self": f"{_PATH}/timeline", "job": _PATH, "why": f"{_PATH}/why", "attempts": f"{_PATH}/attempts",
    },
}  # fmt: skip


def why_operations(job_id: Json) -> tuple[Operation, ...]:
    """The operations, with the parameter that all routes of one job have."""
    return (
        Operation("whyJob", JOBS + "/{id}/why", "Why a job does not run, or how it stands", "Why",
                  parameters=(job_id,), detail=_WHY_DETAIL, problems=_READ,
                  examples={"a retry to come": {"value": _WHY}}),
        Operation("timelineOfJob", JOBS + "/{id}/timeline", "What has happened to a job", "Timeline",
                  parameters=(job_id,), detail=_TIMELINE_DETAIL, problems=_READ,
                  examples={"one attempt": {"value": _TIMELINE}}),
    )  # fmt: skip
