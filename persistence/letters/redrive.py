"""Redrive a dead letter: make a job of it, and write on the letter which.

One transaction: a letter is marked if and only if its job and the job's outbox row stand, and the letter's lock lets
only the first of many do it.  The job keeps the message's own id where no row has it and none was deleted under it;
else it gets a fresh one, because the id's own job has a history of its own.  Under its own id it goes on behind the
letter's run, or copies of its older messages would count as current.  Never judges; see persistence/foreign/intake.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import structs

from persistence.accepting.accept import insert
from persistence.accepting.outbox import Post
from persistence.accepting.submission import Submission
from persistence.letters.letters import Opened
from persistence.store.database import Database
from wire import envelope
from wire.errors import Refused
from wire.identity import body_hash, fresh_id
from wire.message import Incoming


class Word(StrEnum):
    REDRIVEN = "redriven"
    ALREADY = "already"  # a job was made of it before
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one letter."""

    word: Word
    job_id: UUID | None = None
    posts: list[Post] = field(default_factory=list)


_LOCK = "SELECT redriven_at, redriven_as, job_id, headers FROM dead_letters WHERE id = $1 FOR UPDATE"
_MARK = "UPDATE dead_letters SET redriven_at = clock_timestamp(), redriven_as = $2 WHERE id = $1"
_TURN = """
WITH turned AS (UPDATE jobs SET run = $2 WHERE id = $1) UPDATE outbox SET run = $2 WHERE seq = $3
"""
LAST_RUN: Final = 2**31 - 2


async def redrive(database: Database, letter_id: int, submission: Submission) -> Redriven:
    """Make this submission the job of that letter."""
    async with database.transaction() as transaction:
        return await redrive_within(transaction, letter_id, submission)


async def redrive_within(transaction: asyncpg.Connection, letter_id: int, submission: Submission) -> Redriven:
    """The same within the caller's transaction; what is to be published is published after its commit."""
    letter = await transaction.fetchrow(_LOCK, letter_id)
    if letter is None:
        return Redriven(Word.UNKNOWN)
    if letter["redriven_at"] is not None:
        return Redriven(Word.ALREADY, letter["redriven_as"])
    submission = structs.replace(submission, unique=None)  # it was redriven on purpose
    posts = await insert(transaction, [submission]) or await insert(transaction, [_under(fresh_id(), submission)])
    if posts[0].job_id == letter["job_id"]:
        posts = [await _behind(transaction, posts[0], headers_run(letter["headers"]))]
    await transaction.execute(_MARK, letter_id, posts[0].job_id)
    return Redriven(Word.REDRIVEN, posts[0].job_id, posts)


async def _behind(transaction: asyncpg.Connection, post: Post, run: int) -> Post:
    """The job's first message comes after that run."""
    if not 0 < run <= LAST_RUN:
        return post
    await transaction.execute(_TURN, post.job_id, run + 1, post.seq)
    return replace(post, run=run + 1)


def message_of(opened: Opened, max_bytes: int) -> Incoming:
    """The message as it came, or Refused; one whose id is none is given one."""
    letter = opened.letter
    if letter.size_bytes > max_bytes:
        problem = f"has {letter.size_bytes} bytes; at most {max_bytes} are taken"
        raise Refused("body", problem, "send a reference to the data instead", code="too_large")
    said = _kept(opened.headers.encode())
    parsed = None if letter.job_id else envelope.parse(opened.body, now=datetime.now(UTC), max_bytes=max_bytes)
    message_id = letter.job_id or (parsed and parsed.id) or fresh_id()
    return Incoming(
        body=opened.body,
        exchange=letter.exchange,
        routing_key=letter.routing_key,
        queue=letter.queue,
        headers=said.headers,
        message_id=str(message_id),
        type=letter.type,
        priority=said.properties.priority,
        content_type=said.properties.content_type,
        content_encoding=said.properties.content_encoding,
    )


def headers_of(opened: Opened) -> Mapping[str, object]:
    """The headers that it came with."""
    return _kept(opened.headers.encode()).headers


def headers_run(headers: str) -> int:
    """Which message of its job it was; 0 if it came by the public door."""
    return Incoming(b"", "", "", "", _kept(headers.encode()).headers).run or 0


class _Properties(msgspec.Struct):
    priority: int | None = None
    content_type: str | None = None
    content_encoding: str | None = None


class _Kept(msgspec.Struct):
    headers: dict[str, object] = msgspec.field(default_factory=dict)
    properties: _Properties = msgspec.field(default_factory=_Properties)


_kept = msgspec.json.Decoder(_Kept).decode


def _under(job_id: UUID, submission: Submission) -> Submission:
    """The same job under another id, which its body must name too."""
    said = envelope.parse(submission.body, now=datetime.now(UTC), max_bytes=len(submission.body))
    body = envelope.encode(said.with_id(job_id))
    return structs.replace(submission, id=job_id, body=body, body_hash=body_hash(body))
