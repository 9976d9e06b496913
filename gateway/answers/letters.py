"""What the gateway answers about dead letters and their redrives, as structs.

A body is shown as text where it is UTF-8 and as base64 where it is not; headers as they were kept.  Knows no HTTP.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Raw, Struct

from gateway.answers.jobs import JOBS
from gateway.entrance.cursor import Cursor
from persistence.letters import letters
from persistence.letters.redrive_runs import Run

DEAD_LETTERS: Final = "/api/v1/dead-letters"
REDRIVES: Final = DEAD_LETTERS + "/redrive"


class LetterLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")
    redrive: str
    job: Annotated[str | None, Meta(description="The job that was made of it")]


class DeadLetter(Struct, frozen=True):
    """A message that nobody could do, and why."""

    id: int
    job_id: Annotated[UUID | None, Meta(description="The message_id, where it is a UUID; a job of that id may exist")]
    message_id: str
    type: str | None
    reason: Annotated[str, Meta(description="A word, such as malformed, unknown_type, unroutable, orphan, id_reused")]
    detail: Annotated[str, Meta(description="Names the field and the remedy")]
    fingerprint: Annotated[str, Meta(description="The same for letters of one cause")]
    size_bytes: int
    exchange: str
    routing_key: str
    queue: Annotated[str, Meta(description="Where it was taken out of RabbitMQ")]
    created_at: datetime
    redriven_at: datetime | None
    redriven_as: Annotated[UUID | None, Meta(description="The job that was made of it")]
    links: LetterLinks


class OpenedLetter(DeadLetter, frozen=True):
    """A dead letter with its bytes and what was said beside them."""

    body: str
    encoding: Literal["utf-8", "base64"]
    cut: Annotated[bool, Meta(description="Whether the body is longer than what is shown")]
    properties: Raw
    headers: Raw


class DeadLetterList(Struct, frozen=True):
    items: list[DeadLetter]
    next_cursor: Cursor


class Cause(Struct, frozen=True):
    """Letters with one fingerprint."""

    fingerprint: str
    reason: str
    type: str | None
    count: int
    waiting: Annotated[int, Meta(description="Those that have not been redriven")]
    first_seen_at: datetime
    last_seen_at: datetime
    sample: Annotated[DeadLetter, Meta(description="The newest of them")]


class CauseList(Struct, frozen=True):
    items: list[Cause]
    next_cursor: Cursor


class RedriveLinks(Struct, frozen=True):
    this: str = msgspec.field(name="self")


class Redrive(Struct, frozen=True):
    """A redrive by filter: what it is to do and how far it is."""

    id: UUID
    state: Literal["running", "stopped", "finished"]
    type: str | None
    reason: str | None
    fingerprint: str | None
    since: datetime | None
    rate: Annotated[float, Meta(description="Letters a second, at most")]
    letters: Annotated[int, Meta(description="Letters that the filter matched when it began")]
    redriven: int
    refused: Annotated[int, Meta(description="Still bad; they stay as they are")]
    last_refusal: str | None
    created_at: datetime
    finished_at: datetime | None
    links: RedriveLinks


class RedriveList(Struct, frozen=True):
    items: list[Redrive]
    next_cursor: Cursor


class StillBad(Struct, frozen=True):
    letter: int
    field: str
    detail: str


class Rehearsal(Struct, frozen=True):
    """What a redrive by filter would do; nothing was changed."""

    letters: Annotated[int, Meta(description="Letters that the filter matches")]
    judged: Annotated[int, Meta(description="How many of them, oldest first, were looked at")]
    refused: Annotated[int, Meta(description="How many of those are still bad")]
    refusals: Annotated[list[StillBad], Meta(description="The first of these")]
    dry_run: bool = True


class _Kept(Struct):
    headers: Raw = Raw(b"{}")
    properties: Raw = Raw(b"{}")


_kept = msgspec.json.Decoder(_Kept).decode


def letter(found: letters.Letter) -> DeadLetter:
    return DeadLetter(**_plain(found), links=_links(found))


def opened(found: letters.Opened) -> OpenedLetter:
    kept = _kept(found.headers.encode())
    body, encoding = _shown(found.body)
    return OpenedLetter(
        **_plain(found.letter),
        links=_links(found.letter),
        body=body,
        encoding=encoding,
        cut=found.letter.size_bytes > len(found.body),
        properties=kept.properties,
        headers=kept.headers,
    )


def cause(found: letters.Cause) -> Cause:
    return Cause(
        fingerprint=found.fingerprint,
        reason=found.sample.reason,
        type=found.sample.type,
        count=found.letters,
        waiting=found.waiting,
        first_seen_at=found.first_seen_at,
        last_seen_at=found.last_seen_at,
        sample=letter(found.sample),
    )


def redrive(found: Run) -> Redrive:
    return Redrive(
        id=found.id,
        state=found.state,
        type=found.type,
        reason=found.reason,
        fingerprint=found.fingerprint,
        since=found.since,
        rate=found.rate,
        letters=found.letters,
        redriven=found.redriven,
        refused=found.refused,
        last_refusal=found.last_refusal,
        created_at=found.created_at,
        finished_at=found.finished_at,
        links=RedriveLinks(f"{REDRIVES}/{found.id}"),
    )


def _plain(found: letters.Letter) -> dict[str, Any]:
    return {name: getattr(found, name) for name in letters.Letter.__slots__}


def _links(found: letters.Letter) -> LetterLinks:
    path = f"{DEAD_LETTERS}/{found.id}"
    return LetterLinks(path, f"{path}/redrive", f"{JOBS}/{found.redriven_as}" if found.redriven_as else None)


def _shown(body: bytes) -> tuple[str, Literal["utf-8", "base64"]]:
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"
