"""A foreign message becomes a submission with its type's defaults, or a dead letter that says why not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest
from msgspec.structs import replace

from persistence.accepting.submission import Submission
from persistence.declared.job_types import Catalogue, JobType
from persistence.foreign.intake import judge
from persistence.letters.dead_letters import DeadLetter
from wire.identity import body_hash
from wire.message import Incoming
from wire.tracing import Trace

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ID = UUID("019a0000-0000-7000-8000-000000000001")
TRACE = Trace("a" * 32, "b" * 16)
ECHO = JobType("echo", "fast", "", '{"type": "object", "required": ["message"]}', 4, 7, 77.0, 2.0, 300.0)


class Shelf:
    """A catalogue that has been read."""

    async def find(self, name: str, *, surely: bool = False) -> JobType | None:
        return {"echo": ECHO}.get(name)

    def names(self) -> list[str]:
        return ["echo"]


def incoming(body: bytes | None = None, **fields: object) -> Incoming:
    plain = {"type": "echo", "payload": {"message": "hi"}} | fields
    return Incoming(
        json.dumps(plain).encode() if body is None else body, "jobs.in", "", "births", message_id=str(ID),
        headers=TRACE.headers(),
    )  # fmt: skip


async def judged(message: Incoming, max_bytes: int = 10_000) -> Submission | DeadLetter:
    return await judge(message, cast(Catalogue, Shelf()), NOW, max_bytes)


async def test_what_was_left_out_is_the_types_default() -> None:
    message = incoming()

    assert Submission(
        id=ID, type="echo", queue="fast", priority=4, body=message.body, body_hash=body_hash(message.body), tags=(),
        batch_id=None, max_retries=7, timeout_seconds=77.0, starts_at=None, expires_at=None, trace=TRACE,
    ) == await judged(message)  # fmt: skip


async def test_what_was_said_wins_and_none_is_lost_for_being_zero() -> None:
    found = await judged(
        incoming(
            priority=1, max_retries=0, timeout_seconds=0.5, delay=60, expires_at="2027-01-01T00:00:00Z", tags=["a"]
        )
    )

    assert isinstance(found, Submission)
    assert (1, 0, 0.5, NOW + timedelta(minutes=1), datetime(2027, 1, 1, tzinfo=UTC), ("a",)) == (
        found.priority, found.max_retries, found.timeout_seconds, found.starts_at, found.expires_at, found.tags,
    )  # fmt: skip


async def test_the_body_is_kept_byte_for_byte() -> None:
    body = b'{"payload" : {"message": 1.0, "n": 123456789012345678901234567890}, "type": "echo"}\n'
    found = await judged(incoming(body))

    assert isinstance(found, Submission)
    assert body == found.body


async def test_a_message_without_a_trace_begins_one() -> None:
    found = await judged(replace(incoming(), headers={"traceparent": "nonsense"}))

    assert isinstance(found, Submission)
    assert found.trace.trace_id != TRACE.trace_id


@pytest.mark.parametrize(
    ("message", "reason", "detail"),
    [
        (incoming(type="ecoh"), "unknown_type", "'ecoh'"),
        (incoming(type="ecoh"), "unknown_type", "did you mean echo"),
        (incoming(type="xyzzy"), "unknown_type", "known: echo"),
        (incoming(type="E"), "malformed", "type: 'E' is not a job type's name"),
        (incoming(payload={}), "malformed", "payload.message: is missing"),
        (incoming(payload=[]), "malformed", "payload: must be a JSON object"),
        (incoming(max_retrys=1), "malformed", "max_retrys: is not a field of the envelope"),
        (incoming(b"hello"), "malformed", "body: is not JSON"),
        (incoming(b"[" * 9_999), "malformed", "nested deeper"),
        (incoming(payload={"message": "x" * 10_000}), "too_large", "at most 10000 are taken"),
        (replace(incoming(), message_id=None), "malformed", "message_id: is missing"),
        (replace(incoming(), type="report"), "malformed", "the property type says 'report'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_a_job_is_a_dead_letter_with_a_reason(message: Incoming, reason: str, detail: str) -> None:
    found = await judged(message)

    assert isinstance(found, DeadLetter)
    assert (message, reason) == (found.message, found.reason)
    assert detail in found.detail
