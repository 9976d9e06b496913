"""What the gateway answers about job types, as their workers registered them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.answers.pauses import Pause, pause
from gateway.entrance.cursor import Cursor
from persistence.declared import pauses
from persistence.declared.job_types import JobType as RegisteredType

JOB_TYPES: Final = "/api/v1/job-types"


class TypeLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    pause: str
    resume: str


class JobType(Struct, frozen=True):
    """A type as its workers registered it."""

    name: str
    queue: str
    description: str
    payload_schema: Annotated[Raw, Meta(description="JSON Schema of the payload")]
    result_schema: Annotated[Raw | None, Meta(description="JSON Schema of what its jobs return; null: it does not say")]
    priority: int
    max_retries: int
    timeout_seconds: float
    retry_base_seconds: float
    retry_max_seconds: float
    workers: Annotated[int, Meta(description="Live workers that serve it")]
    paused: Annotated[Pause | None, Meta(description="null: it is not")]
    links: TypeLinks


class JobTypeList(Struct, frozen=True):
    items: list[JobType]
    next_cursor: Cursor


def job_type(found: RegisteredType, stands_still: Sequence[pauses.Pause] = ()) -> JobType:
    path = f"{JOB_TYPES}/{found.name}"
    return JobType(
        name=found.name,
        queue=found.queue,
        description=found.description,
        payload_schema=Raw(found.payload_schema.encode()),
        result_schema=Raw(found.result_schema.encode()) if found.result_schema else None,
        priority=found.priority,
        max_retries=found.max_retries,
        timeout_seconds=found.timeout_seconds,
        retry_base_seconds=found.retry_base_seconds,
        retry_max_seconds=found.retry_max_seconds,
        workers=found.workers,
        paused=pause(pauses.Kind.TYPE, found.name, stands_still),
        links=TypeLinks(path, f"{path}/pause", f"{path}/resume"),
    )
