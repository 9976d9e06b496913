"""What the gateway answers about the lines that a job has logged.  Knows no HTTP.

A line's fields are spliced in as they were kept.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.answers.jobs import JOBS
from persistence.attempts import attempt_logs
from wire.states import State


class LogLine(Struct, frozen=True):
    """One line that an attempt has logged."""

    attempt: int
    lease: Annotated[int, Meta(description="Numbers the starts, as in the list of attempts")]
    number: Annotated[int, Meta(description="Of the line in its attempt, from 1 on; if the first is not 1, older went")]
    at: datetime
    level: str
    logger: str | None
    event: Annotated[str, Meta(description="The message; secrets are masked")]
    fields: Annotated[Raw, Meta(description="What was logged beside it, as an object")]


class LogLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    job: str
    attempts: str


class Logs(Struct, frozen=True):
    """The last lines that a job has logged, oldest first."""

    id: UUID
    state: State
    dropped: Annotated[int, Meta(description="Older lines of these attempts that were not kept")]
    items: list[LogLine]
    trace_id: str
    links: LogLinks


class _Said(Struct, frozen=True):
    at: datetime
    level: str
    logger: str | None
    event: str
    fields: Raw


_said = msgspec.json.Decoder(_Said)


def line(found: attempt_logs.Line) -> LogLine:
    said = _said.decode(found.said)
    return LogLine(
        found.attempt, found.lease, found.number, said.at, said.level, said.logger, said.event, said.fields
    )  # fmt: skip


def logs(job_id: UUID, found: attempt_logs.Lines) -> Logs:
    path = f"{JOBS}/{job_id}"
    links = LogLinks(f"{path}/logs", path, f"{path}/attempts")
    return Logs(job_id, found.state, found.dropped, [line(one) for one in found.lines], found.trace_id, links)
