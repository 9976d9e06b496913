"""Deliveries are taken out of what the broker sends, whole and in order, however it is cut; all else is left."""

from __future__ import annotations

import itertools
import struct
from datetime import UTC, datetime

import pytest
from aiormq import spec
from aiormq.abc import ChannelFrame
from msgspec.structs import replace
from pamqp.body import ContentBody
from pamqp.header import ContentHeader
from pamqp.heartbeat import Heartbeat

from tests.faults.strangers import STRANGERS, Stranger
from wire.message import Incoming
from wire.rabbitmq.deliveries import ALIVE, ALIVE_SECONDS, Deliveries

OURS, THEIRS = 3, 1
SAID = spec.Basic.Properties(
    content_type="application/json", content_encoding="utf-8", headers={"traceparent": "x", "n": 1}, delivery_mode=2,
    priority=7, correlation_id="c", reply_to="r", expiration="1000", message_id="id é",
    timestamp=datetime(2030, 1, 1, tzinfo=UTC), message_type="echo", user_id="guest", app_id="app",
)  # fmt: skip
READ = Incoming(
    b"{}", "jobs.in", "job.echo.p5", "births", {"traceparent": "x", "n": 1}, "id é", "echo", 7, "application/json",
    "utf-8", "app", "r", "c",
)  # fmt: skip
NOTHING_SAID = Incoming(b"", "jobs.in", "job.echo.p5", "births", redelivered=True)
LARGE = replace(READ, body=bytes(range(256)) * 1_000)
OTHERS = [
    ChannelFrame.marshall(0, [Heartbeat()]).payload,
    ChannelFrame.marshall(THEIRS, [spec.Basic.Ack(delivery_tag=7)]).payload,
    ChannelFrame.marshall(OURS, [spec.Basic.ConsumeOk(consumer_tag="births")]).payload,
]


def delivered(
    message: Incoming,
    tag: int,
    channel: int = OURS,
    said: spec.Basic.Properties | None = SAID,
    subscription: str = "births",
) -> bytes:
    """As the broker sends it."""
    method = spec.Basic.Deliver(subscription, tag, message.redelivered, message.exchange, message.routing_key)
    header = ContentHeader(body_size=len(message.body), properties=said or spec.Basic.Properties())
    parts = [message.body[first : first + 100_000] for first in range(0, len(message.body), 100_000)]
    return ChannelFrame.marshall(channel, [method, header, *map(ContentBody, parts)]).payload


def reader(clock: float = 0.0) -> tuple[Deliveries, list[tuple[Incoming, int]]]:
    taken: list[tuple[Incoming, int]] = []
    deliveries = Deliveries(clock=lambda: clock)
    deliveries.subscribe(OURS, "births", "births", lambda message, tag: taken.append((message, tag)))
    return deliveries, taken


STREAM = [
    OTHERS[0], delivered(READ, 1), delivered(NOTHING_SAID, 2, said=None), OTHERS[1], delivered(READ, 9, channel=THEIRS),
    delivered(READ, 3), OTHERS[2],
]  # fmt: skip
LEFT = b"".join([OTHERS[0], OTHERS[1], STREAM[4], OTHERS[2]])
TAKEN = [(READ, 1), (NOTHING_SAID, 2), (READ, 3)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 50, 333, 10_000])
def test_however_the_bytes_are_cut(size: int) -> None:
    deliveries, taken = reader()
    stream = b"".join(STREAM)
    left = b"".join(deliveries.feed(stream[first : first + size]) for first in range(0, len(stream), size))

    assert (LEFT, TAKEN) == (left, taken)


def test_all_that_a_delivery_says_is_read() -> None:
    """
    A field that nobody reads would have its default here.
    """
    said = [name for name in Incoming.__struct_fields__ if getattr(READ, name) != getattr(NOTHING_SAID, name)]
    names = {"exchange", "routing_key", "queue"}

    assert set(Incoming.__struct_fields__) - names == set(said)


def test_a_body_of_many_frames_among_the_frames_of_others() -> None:
    deliveries, taken = reader()
    frames = split(delivered(LARGE, 1))
    stream = b"".join(itertools.chain.from_iterable(zip(frames, itertools.cycle(OTHERS[:2]), strict=False)))
    left = deliveries.feed(stream)

    assert ([(LARGE, 1)], len(frames)) == (taken, len(split(left)))


def test_what_comes_after_the_end_of_a_subscription_is_left() -> None:
    deliveries, taken = reader()
    deliveries.unsubscribe(OURS, "births")

    assert (delivered(READ, 1), []) == (deliveries.feed(delivered(READ, 1)), taken)


def test_each_subscription_of_a_channel_takes_its_own() -> None:
    deliveries, taken = reader()
    deliveries.subscribe(OURS, "another", "work.default", lambda message, tag: taken.append((message, -tag)))
    other = delivered(READ, 2, subscription="another")
    deliveries.feed(delivered(READ, 1) + other)
    deliveries.unsubscribe(OURS, "another")

    assert [(READ, 1), (replace(READ, queue="work.default"), -2)] == taken
    assert other == deliveries.feed(delivered(READ, 1) + other)


@pytest.mark.parametrize("stranger", STRANGERS, ids=[stranger.name for stranger in STRANGERS])
def test_whatever_a_stranger_has_written(stranger: Stranger) -> None:
    """
    Its properties as they are, and the next message behind it.
    """
    deliveries, taken = reader()
    pieces = split(delivered(NOTHING_SAID, 1, said=None) + delivered(READ, 2))
    pieces[1] = frame(2, struct.pack(">HHQ", 60, 0, 0) + b"".join(stranger.raw().encode()))

    assert (b"", [1, 2]) == (deliveries.feed(b"".join(pieces)), [tag for _, tag in taken])
    assert stranger.properties.get("message_id", stranger.message_id) == taken[0][0].message_id


def test_properties_that_are_shorter_than_they_say() -> None:
    """
    What is there of them is read, and the message is delivered all the same; so is the next one.
    """
    method, header, body = split(delivered(READ, 1))
    whole = header[7:-1]
    for end in range(14, len(whole)):
        deliveries, taken = reader()
        deliveries.feed(method + frame(2, whole[:end]) + body + delivered(READ, 2))
        (short, _), second = taken

        assert (READ.body, True) == (short.body, str(READ.content_type).startswith(short.content_type or ""))
        assert (READ, 2) == second


def test_the_library_is_told_that_the_peer_lives() -> None:
    """
    It sees none of these frames, and would close the connection for its silence.
    """
    now = [0.0]
    deliveries = Deliveries(clock=lambda: now[0])
    deliveries.subscribe(OURS, "births", "births", lambda *_: None)
    told = []
    for now[0] in (0.5, ALIVE_SECONDS, ALIVE_SECONDS + 0.5, 2 * ALIVE_SECONDS):
        told.append(deliveries.feed(delivered(READ, 1)))
    now[0] = 10 * ALIVE_SECONDS

    assert ([b"", ALIVE, b"", ALIVE], OTHERS[0]) == (told, deliveries.feed(OTHERS[0]))
    assert ALIVE == ChannelFrame.marshall(0, [Heartbeat()]).payload


def test_what_is_not_a_frame_is_left_to_the_library() -> None:
    deliveries, _ = reader()
    refusal = b"AMQP\0\0\x09\x01"

    assert (refusal, b"x") == (deliveries.feed(refusal), deliveries.feed(b"x"))


def split(stream: bytes) -> list[bytes]:
    frames = []
    while stream:
        (size,) = struct.unpack_from(">I", stream, 3)
        frames.append(stream[: size + 8])
        stream = stream[size + 8 :]
    return frames


def frame(kind: int, content: bytes, channel: int = OURS) -> bytes:
    return struct.pack(">BHI", kind, channel, len(content)) + content + b"\xce"
