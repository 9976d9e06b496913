"""Frames made by hand are those that the library makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import pytest
from aiormq import spec
from aiormq.abc import ChannelFrame
from msgspec.structs import replace
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from wire.message import Outgoing, birth_message, job_message
from wire.rabbitmq.frames import frames_of
from wire.rabbitmq.translate import properties

LARGEST: Final = 4_000
TRACE: Final = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b,c=ü"}
JOB: Final = job_message(job_id=uuid4(), job_type="a.b", priority=10, body=b'{"a":1}', run=1, trace=TRACE)
LATER: Final = job_message(
    job_id=uuid4(), job_type="a", priority=1, body=b"{}", run=1, wait_units=77, attempt=2, because="é" * 200, trace={}
)
BIRTH: Final = birth_message(job_id=uuid4(), job_type="a", priority=5, body=b"{}", trace=TRACE)
RUNS: Final = [replace(JOB, headers={"run": run}) for run in (127, 128, 32_767, 32_768, 65_535, 65_536, 2**31 - 1)]
REPLY: Final = Outgoing("", "a queue", b"{}", "id", "a", 0, {}, "correlated")


@pytest.mark.parametrize("message", [JOB, LATER, BIRTH, REPLY, *RUNS, replace(JOB, body=b"x" * 10_000)])
def test_by_hand_and_by_the_library_are_the_same_bytes(message: Outgoing) -> None:
    made = properties(message)
    made.timestamp = datetime.fromtimestamp(1_800_000_000, UTC)

    assert _by_library(message, made) == frames_of(message, 7, 1_800_000_000, LARGEST)


def test_there_is_no_property_that_only_the_library_knows() -> None:
    """
    Whoever adds a field to the message adds it to both.
    """
    known = {"exchange", "routing_key", "body", "message_id", "type", "priority", "headers", "correlation_id"}

    assert known == set(Outgoing.__struct_fields__)


def _by_library(message: Outgoing, made: spec.Basic.Properties) -> bytes:
    method = spec.Basic.Publish(exchange=message.exchange, routing_key=message.routing_key, mandatory=True)
    parts = [message.body[first : first + LARGEST] for first in range(0, len(message.body), LARGEST)]
    header = ContentHeader(properties=made, body_size=len(message.body))
    return ChannelFrame.marshall(7, [method, header, *map(ContentBody, parts)]).payload
