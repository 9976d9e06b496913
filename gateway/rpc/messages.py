"""Make messages of what the gateway answers: the same structs that REST sends as JSON, field by field.

A page ends before it outgrows what most clients take; its token leads on from there.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from msgspec import UNSET, UnsetType

from gateway import answers
from gateway.entrance import cursor
from gateway.rpc.proto import job_scheduler_pb2 as proto

PAGE_BYTES: Final = 3 * 1024 * 1024  # clients take 4 MiB unless they are told otherwise

_TIMES: Final = (
    "created_at", "scheduled_for", "started_at", "finished_at", "next_attempt_at", "expires_at", "cancel_requested_at",
    "due_at",
)  # fmt: skip
_TEXTS: Final = ("state", "reason", "worker", "batch_id", "schedule_id", "reply_to", "correlation_id", "trace_url")


def receipt(told: answers.jobs.Receipt) -> proto.SubmitJobResponse:
    return proto.SubmitJobResponse(
        job_id=str(told.id),
        state=told.state.value,
        created_at=told.created_at,
        trace_id=told.trace_id,
        trace_url=_text(told.trace_url),
        duplicate=bool(told.duplicate),
        unique=bool(told.unique),
    )


def job(told: answers.jobs.Job) -> proto.Job:
    plain: dict[str, Any] = {name: _text(getattr(told, name)) for name in _TEXTS}
    plain |= {name: at for name in _TIMES if (at := getattr(told, name)) is not None}
    made = proto.Job(
        job_id=str(told.id),
        job_type=told.type,
        queue=told.queue,
        priority=told.priority,
        payload=bytes(told.payload).decode(),
        attempt=told.attempt,
        max_retries=told.max_retries,
        timeout_seconds=told.timeout_seconds,
        redriven_from=told.redriven_from,
        tags=told.tags,
        trace_id=told.trace_id,
        **plain,
    )
    if told.result is not None:
        made.result = bytes(told.result).decode()
    if told.result_artifact is not None:
        made.result_artifact.id = str(told.result_artifact.id)
        made.result_artifact.size_bytes = told.result_artifact.size_bytes
    if told.error is not None:
        made.error.type, made.error.message = told.error.type or "", told.error.message or ""
    if told.progress is not None:
        made.progress.CopyFrom(proto.Progress(fraction=told.progress.fraction, note=told.progress.note))
    return made


def page(told: answers.jobs.JobList) -> proto.ListJobsResponse:
    """As many of these as one message may hold; at least one."""
    made = proto.ListJobsResponse()
    size = 0
    for number, one in enumerate(told.items):
        message = job(one)
        size += message.ByteSize()
        if number and size > PAGE_BYTES:
            made.next_page_token = cursor.write(told.items[number - 1])
            return made
        made.jobs.append(message)
    made.next_page_token = told.next_cursor or ""
    return made


def _text(said: str | UUID | UnsetType | None) -> str:
    return "" if said is None or said is UNSET else str(said)
