"""The routes of batches, described."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.answers.batches import BATCHES
from gateway.openapi.operation import CURSOR, INSTANT, LIMIT, TEXT, UUID, Json, Operation, parameter
from gateway.openapi.submission import FIELDS
from gateway.submitting.batch_request import CALLBACK_FIELDS
from persistence.batches.batches import STATES

_CALLBACK: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["type"],
    "properties": {name: FIELDS[name] for name in CALLBACK_FIELDS},
    "patternProperties": {"^x_": {}},
    "additionalProperties": False,
}
BATCH: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "A batch of jobs. All of it is taken, or nothing.",
    "additionalProperties": False,
    "properties": {
        "id": {**UUID, "description": "Your id for the batch"},
        "name": TEXT,
        "tags": FIELDS["tags"],
        "jobs": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Submission"},
            "description": "At most 10,000; more come to an open batch",
        },
        "open": {"type": "boolean", "default": False, "description": "Take more jobs until it is closed"},
        "on_complete": {**_CALLBACK, "description": "The job to submit when all its jobs have completed"},
        "on_failure": {**_CALLBACK, "description": "The job to submit when it has ended otherwise"},
    },
}
BATCHES_SHOWN: Final[Mapping[str, Any]] = {
    "callbacks": {
        "value": {
            "name": "import of Monday",
            "jobs": [{"type": "echo", "payload": {"row": 1}}, {"type": "echo", "payload": {"row": 2}}],
            "on_complete": {"type": "echo", "payload": {"message": "all rows are in"}},
            "on_failure": {"type": "echo", "payload": {"message": "look at the rows"}},
        }
    },
    "open": {"value": {"name": "nightly", "open": True}},
}

_ONE: Final = BATCHES + "/{id}"
_BATCH_ID: Final = parameter("path", "id", UUID, "The batch's id")
_FILTERS: Final = (
    parameter("query", "state", {"type": "string", "enum": list(STATES)}, "How it stands"),
    parameter("query", "name", TEXT, "Its name"),
    parameter("query", "tag", TEXT, "A tag that it carries"),
    parameter("query", "since", INSTANT, "Made at this time or later"),
    LIMIT,
    CURSOR,
)
_RETRIED: Final = parameter(
    "query", "state", {"type": "string", "enum": ["failed", "cancelled", "expired", "all"], "default": "failed"},
    "Which of its jobs to send again",
)  # fmt: skip
_MAKE_DETAIL: Final = """\
All of it is taken, or nothing: one job that cannot be taken refuses the batch, and the faults are told by their place,
as in `jobs[3].payload`. When no job of it waits or runs any more, the batch has ended and its callback is submitted,
once: `on_complete` when all have completed, else `on_failure`. The callback's payload is the one given here, with the
field `batch` put in: id, name, state, counts. An `open` batch takes more jobs, by `/batches/{id}/jobs` or by
`batch_id` in any submission, and ends only after it was closed."""
_ADD_DETAIL: Final = """\
As `POST /api/v1/jobs/bulk`, for one open batch: each job is judged and answered for itself."""
_CLOSE_DETAIL: Final = "It takes no more jobs, and may end. Close it after its last submission was answered."
_CANCEL_DETAIL: Final = """\
What waits is cancelled, what runs is asked to end, and the batch takes no more jobs. Many jobs take a moment; the
answer says how it stands by now."""
_RETRY_DETAIL: Final = """\
Its failed jobs wait again, with all their retries, and the batch runs again: its next end submits a callback of its
own. `state` chooses other jobs."""
_DELETE_DETAIL: Final = """\
One that has ended is deleted with all its jobs (204). One that lives is cancelled instead (202), and can be deleted
once it has ended."""
_BODY: Final = ("too_large", "unsupported_media", "slow_body")
_READ: Final = ("malformed", "not_found", "unavailable")
_CHANGE: Final = (*_READ, "foreign_origin")
_OURS: Final[dict[str, Any]] = {"tag": "batches"}


def batch_operations(key: Json, traceparent: Json) -> tuple[Operation, ...]:
    """The operations, with the headers that submissions share."""
    taken: dict[str, Any] = {"method": "post", "parameters": (_BATCH_ID,), "problems": _CHANGE, **_OURS}
    return (
        Operation("makeBatch", BATCHES, "Submit a batch of jobs", "Batch", method="post", status=202,
                  also=((200, "Batch"),), takes="batch", detail=_MAKE_DETAIL, parameters=(key, traceparent),
                  problems=("malformed", "unknown_type", "id_reused", "foreign_origin", "unavailable", *_BODY),
                  **_OURS),
        Operation("listBatches", BATCHES, "List batches, newest first", "BatchList", parameters=_FILTERS,
                  problems=("malformed", "unavailable"), **_OURS),
        Operation("getBatch", _ONE, "One batch", "Batch", parameters=(_BATCH_ID,), problems=_READ, **_OURS),
        Operation("addToBatch", _ONE + "/jobs", "Submit jobs to an open batch", "BulkReceipt", method="post",
                  also=((207, "BulkReceipt"),), takes="jobs", detail=_ADD_DETAIL,
                  parameters=(_BATCH_ID, key, traceparent), problems=(*_CHANGE, "wrong_state", *_BODY), **_OURS),
        Operation("closeBatch", _ONE + "/close", "Close an open batch", "Batch", detail=_CLOSE_DETAIL, **taken),
        Operation("cancelBatch", _ONE + "/cancel", "Cancel all jobs of a batch", "Batch", also=((202, "Batch"),),
                  detail=_CANCEL_DETAIL, **{**taken, "problems": (*_CHANGE, "wrong_state")}),
        Operation("retryBatch", _ONE + "/retry", "Send the failed jobs of a batch again", "Batch", method="post",
                  status=202, parameters=(_BATCH_ID, _RETRIED), detail=_RETRY_DETAIL,
                  problems=(*_CHANGE, "wrong_state"), **_OURS),
        Operation("deleteBatch", _ONE, "Delete a batch that has ended, cancel one that lives", "", method="delete",
                  status=204, also=((202, "Batch"),), parameters=(_BATCH_ID,), detail=_DELETE_DETAIL, problems=_CHANGE,
                  **_OURS),
    )  # fmt: skip
