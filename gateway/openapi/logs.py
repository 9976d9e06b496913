"""The route of a job's logs, described, with an example.

A test holds the example and the struct together.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.answers.jobs import JOBS
from gateway.entrance.query import MOST_ITEMS
from gateway.openapi.operation import Json, Operation, parameter

_DETAIL: Final = """\
What its attempts have logged while they ran, oldest first: the last lines of each attempt, kept as long as the job.
Lines of a running attempt come within a second. docs/logs.md tells what is kept and what is masked.

With `follow=true` they are streamed as server-sent events (`text/event-stream`): the last lines there are as events
`line`, then each that comes, and an event `end` with the job's `state` when it has ended. A client that comes again
with `Last-Event-ID` goes on where it was; after the end it is answered 204."""
_ID: Final = "019aa5d2-6f00-7c4e-9d3a-2b1f0c8e7a61"
_PATH: Final = f"{JOBS}/{_ID}"
_LOGS: Final[dict[str, Any]] = {
    "id": _ID,
    "state": "running",
    "dropped": 0,
    "items": [
        {
            "attempt": 1, "lease": 1, "number": 1, "at": "2026-11-21T12:03:00.120Z", "level": "info", "logger": None,
            "event": "page_read", "fields": {"status": 200, "bytes": 48113},
        },
    ],
    "trace_id": "5f2b1c0a9d8e4f7a6b3c2d1e0f9a8b7c",
    "links": {"self": f"{_PATH}/logs", "job": _PATH, "attempts": f"{_PATH}/attempts"},
}  # fmt: skip
_ATTEMPT: Final = parameter("query", "attempt", {"type": "integer", "minimum": 1}, "Of this attempt only")
_LIMIT: Final = parameter(
    "query", "limit", {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS, "default": MOST_ITEMS},
    "At most so many lines, the last ones",
)  # fmt: skip


_FOLLOW: Final = parameter(
    "query", "follow", {"type": "boolean", "default": False}, "Stream what comes, until the job has ended"
)
_LAST: Final = parameter(
    "header", "Last-Event-ID", {"type": "string"}, "With `follow`: the id of the last event that was read"
)


def log_operations(job_id: Json) -> tuple[Operation, ...]:
    """The operation, with the parameter that all routes of one job have."""
    return (
        Operation("logsOfJob", JOBS + "/{id}/logs", "What a job has logged", "Logs|text/event-stream",
                  also=((204, ""),), parameters=(job_id, _ATTEMPT, _LIMIT, _FOLLOW, _LAST), detail=_DETAIL,
                  problems=("malformed", "not_found", "unavailable"), examples={"one line": {"value": _LOGS}}),
    )  # fmt: skip
