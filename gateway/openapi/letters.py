"""The routes of dead letters and their redrives, described."""

from __future__ import annotations

from typing import Any, Final

from gateway.answers.letters import DEAD_LETTERS, REDRIVES
from gateway.entrance.query import MOST_DIGITS
from gateway.openapi.operation import CURSOR, INSTANT, LIMIT, TEXT, UUID, Operation, parameter

_LETTER: Final = DEAD_LETTERS + "/{id}"
_REDRIVE: Final = REDRIVES + "/{id}"
_LETTER_ID: Final = parameter(
    "path", "id", {"type": "integer", "minimum": 0, "maximum": 10**MOST_DIGITS - 1}, "The dead letter's number"
)
_REDRIVE_ID: Final = parameter("path", "id", UUID, "The redrive's id")
_FILTERS: Final = (
    parameter("query", "type", TEXT, "What the message called its job type"),
    parameter("query", "reason", TEXT, "A reason, such as malformed"),
    parameter("query", "fingerprint", TEXT, "A cause"),
    parameter("query", "since", INSTANT, "Kept at this time or later"),
    parameter("query", "redriven", {"type": "boolean"}, "Whether a job was made of it"),
    parameter("query", "group", {"const": "fingerprint"}, "List the causes instead, each with its newest letter"),
    LIMIT,
    CURSOR,
)
_LIST_DETAIL: Final = """\
Messages that could not be decoded, routed or accepted, with their bytes and the reason. A job that ran and failed is
not here: `GET /api/v1/jobs?state=dead_letter` lists those, and `POST /api/v1/jobs/{id}/retry` sends one again."""
_REDRIVE_DETAIL: Final = """\
Without a body the message is judged again as it came, and takes its own id where no job has or had it. With a body the
job is made of that. The letter stays, marked with the job."""
_RUN_DETAIL: Final = """\
Redrives what matches and has not been redriven, oldest first, as it came. A gateway works it off; after a crash
another goes on with it. Letters that are still bad are counted and stay. With `dry_run` nothing is changed (200)."""
_BODY_PROBLEMS: Final = ("too_large", "unsupported_media", "slow_body")
_READ: Final = ("malformed", "not_found", "unavailable")
_CHANGE: Final = (*_READ, "foreign_origin")
_OURS: Final[dict[str, Any]] = {"tag": "dead letters"}

LETTER_OPERATIONS: Final = (
    Operation("listDeadLetters", DEAD_LETTERS, "List dead letters, newest first", "DeadLetterList|CauseList",
              parameters=_FILTERS, detail=_LIST_DETAIL, problems=("malformed", "unavailable"), **_OURS),
    Operation("getDeadLetter", _LETTER, "One dead letter, with its bytes", "OpenedLetter", parameters=(_LETTER_ID,),
              problems=_READ, **_OURS),
    Operation("discardDeadLetter", _LETTER, "Discard a dead letter", "", method="delete", status=204,
              parameters=(_LETTER_ID,), problems=_CHANGE, **_OURS),
    Operation("redriveDeadLetter", _LETTER + "/redrive", "Make a job of a dead letter", "Job", method="post",
              status=202, takes="edited job", parameters=(_LETTER_ID,), detail=_REDRIVE_DETAIL,
              problems=(*_CHANGE, "wrong_state", "unknown_type", *_BODY_PROBLEMS), **_OURS),
    Operation("redriveDeadLetters", REDRIVES, "Redrive by filter", "Redrive", method="post", status=202,
              also=((200, "Rehearsal"),), takes="redrive", detail=_RUN_DETAIL,
              problems=("malformed", "foreign_origin", "unavailable", *_BODY_PROBLEMS), **_OURS),
    Operation("listRedrives", REDRIVES, "The last redrives by filter, newest first", "RedriveList",
              problems=("malformed", "unavailable"), **_OURS),
    Operation("getRedrive", _REDRIVE, "How far a redrive is", "Redrive", parameters=(_REDRIVE_ID,), problems=_READ,
              **_OURS),
    Operation("stopRedrive", _REDRIVE, "Stop a redrive; it stays where it is", "Redrive", method="delete",
              parameters=(_REDRIVE_ID,), problems=_CHANGE, **_OURS),
)  # fmt: skip
