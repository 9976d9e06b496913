"""Take the deliveries out of what RabbitMQ sends, before the client library reads it.

The library makes three frames, some twenty objects, two queues and a task of a delivery, which was half of what a birth
cost the recorder.  Here a delivery is read as it lies in its frames, straight into the message that we need; all else
is the library's, untouched and in its order.

Nothing is refused here, whatever a stranger has written: what cannot be read is left out, and judged where a job needs
it.  Knows no socket: bytes come in, and those that are left go out.
"""

from __future__ import annotations

import functools
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from wire.message import Incoming
from wire.rabbitmq.frames import BODY, METHOD, PROPERTIES
from wire.rabbitmq.headers import read_name, read_table, read_word

HEARTBEAT: Final = 8
ALIVE: Final = struct.pack(">BHIB", HEARTBEAT, 0, 0, 0xCE)
ALIVE_SECONDS: Final = 1.0  # the library takes a peer whose frames it does not see for dead
_OVERHEAD: Final = 8  # of a frame: seven bytes before it, one behind it
_DELIVER: Final = struct.pack(">HH", 60, 60)
_TAG: Final = 9  # bytes: its number, and whether it was delivered before

_frame = struct.Struct(">BHI").unpack_from
_tag = struct.Struct(">Q?").unpack_from
_content = struct.Struct(">QH").unpack_from  # the body's size, which properties there are
_word = struct.Struct(">H").unpack_from

Take = Callable[[Incoming, int], None]
Read = Callable[[bytes, int], tuple[object, int]]


@dataclass(slots=True)
class _Open:
    """A delivery of which more frames follow."""

    queue: str
    take: Take
    tag: int
    redelivered: bool
    place: tuple[str, str]
    lacks: int = 0  # bytes of its body
    said: dict[str, Any] = field(default_factory=dict)
    body: list[bytes] = field(default_factory=list)


class Deliveries:
    """Those of one connection; each goes to its subscription, in the order in which they come."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._takers: dict[tuple[int, bytes], tuple[str, Take]] = {}  # by channel and the consumer's tag
        self._open: dict[int, _Open] = {}  # by channel
        self._rest = b""
        self._clock, self._said_alive = clock, clock()
        self._strange = False

    def subscribe(self, channel: int, name: str, queue: str, take: Take) -> None:
        """To be called before the broker is asked; `take` gets each message with its tag, and must not raise.

        The name is the consumer's tag, which tells the subscriptions of a channel apart.
        """
        self._takers[channel, name.encode()] = (queue, take)

    def unsubscribe(self, channel: int, name: str) -> None:
        """What comes of it from now on is the library's, which returns it or has forgotten the channel."""
        self._takers.pop((channel, name.encode()), None)

    def feed(self, received: bytes) -> bytes:
        """Take what is ours; the bytes that are left, in whole frames."""
        if self._strange:
            return received
        frames = self._rest + received if self._rest else received
        left, begin, offset, size = list[bytes](), 0, 0, len(frames)
        while offset + _OVERHEAD <= size:
            kind, channel, length = _frame(frames, offset)
            end = offset + _OVERHEAD + length
            if kind > HEARTBEAT:  # these are no frames: the library knows what to say of it
                self._strange = True
                return b"".join((*left, frames[begin:]))
            if end > size:
                break
            if self._is_ours(kind, channel, frames, offset + 7, end - 1):
                if begin < offset:
                    left.append(frames[begin:offset])
                begin = end
            offset = end
        left.append(frames[begin:offset])
        self._rest = frames[offset:]
        if begin and self._clock() - self._said_alive >= ALIVE_SECONDS:
            self._said_alive = self._clock()
            left.append(ALIVE)
        return b"".join(left)

    def _is_ours(self, kind: int, channel: int, frames: bytes, begin: int, end: int) -> bool:
        if kind == METHOD:
            return frames.startswith(_DELIVER, begin) and self._begins(channel, frames[begin + 4 : end])
        delivery = self._open.get(channel)
        if delivery is None:
            return False
        if kind == PROPERTIES:
            delivery.lacks, delivery.said = read_properties(frames[begin + 4 : end])
        elif kind == BODY:
            delivery.body.append(frames[begin:end])
            delivery.lacks -= end - begin
        if delivery.lacks <= 0:
            del self._open[channel]
            _hand_over(delivery)
        return True

    def _begins(self, channel: int, method: bytes) -> bool:
        behind = 1 + method[0]
        taker = self._takers.get((channel, method[1:behind]))
        if taker is None:
            return False
        tag, redelivered = _tag(method, behind)
        self._open[channel] = _Open(*taker, tag, redelivered, _place(method[behind + _TAG :]))
        return True


def read_properties(frame: bytes) -> tuple[int, dict[str, Any]]:
    """How long the body is that belongs to them, and those that we look at."""
    size, flags = _content(frame, 0)
    offset, said = _content_size(frame, flags), dict[str, Any]()
    try:
        for name, read in _present(flags):
            value, offset = read(frame, offset)
            if name:
                said[name] = value
    except (IndexError, struct.error):
        pass  # it is shorter than it says: the rest of them is missing
    return size, said


def _hand_over(delivery: _Open) -> None:
    exchange, routing_key = delivery.place
    body = b"".join(delivery.body)
    message = Incoming(body, exchange, routing_key, delivery.queue, redelivered=delivery.redelivered, **delivery.said)
    delivery.take(message, delivery.tag)


@functools.lru_cache(maxsize=1_024)
def _place(names: bytes) -> tuple[str, str]:
    """The exchange and the routing key, which are the same in most deliveries."""
    exchange, offset = read_name(names, 0)
    return exchange, read_name(names, offset)[0]


def _content_size(frame: bytes, flags: int) -> int:
    """Where the properties begin: behind the flags, of which each word says whether another follows."""
    offset = 10
    while flags & 1 and offset + 2 <= len(frame):
        (flags,) = _word(frame, offset)
        offset += 2
    return offset


def _octet(frame: bytes, offset: int) -> tuple[object, int]:
    return frame[offset], offset + 1


def _time(_: bytes, offset: int) -> tuple[object, int]:
    return None, offset + 8


_ALL: Final[tuple[tuple[int, str, Read], ...]] = (  # in the order in which they lie; without a name they are skipped
    (15, "content_type", read_word), (14, "content_encoding", read_word), (13, "headers", read_table), (12, "", _octet),
    (11, "priority", _octet), (10, "correlation_id", read_name), (9, "reply_to", read_word), (8, "", read_name),
    (7, "message_id", read_name), (6, "", _time), (5, "type", read_word), (4, "", read_name), (3, "app_id", read_word),
)  # fmt: skip


@functools.lru_cache(maxsize=1_024)
def _present(flags: int) -> tuple[tuple[str, Read], ...]:
    return tuple((name, read) for bit, name, read in _ALL if flags >> bit & 1)
