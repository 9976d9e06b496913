"""Messages for the public door that nobody would think of: a good one, garbled at random in body, properties and key.

The same seed makes the same messages.  Each bears its own `app_id`, by which its dead letter is known.
"""

from __future__ import annotations

import gzip
import json
import random
import struct
import uuid
from collections.abc import Callable
from typing import Any, Final

from tests.faults.strangers import Stranger, header, number, short, table, text

FIELDS: Final = (
    "v", "id", "type", "payload", "priority", "max_retries", "timeout_seconds", "run_at", "delay", "expires_at", "tags",
    "batch_id", "idempotency_key", "x_mine", "unknown", "unique", "", "\x00",
)  # fmt: skip
WORDS: Final = (
    "", "echo", "nap", "ehco", "job", "high", "2030-01-31T09:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "{}", "\x00", "\ud800", "ä" * 300, "💥", "null", "NaN", "019a0000-0000-7000-8000-000000000000", "A" * 1_000,
)  # fmt: skip
NUMBERS: Final = (0, -1, 1, 5, 10, 11, 0.1, 1e308, 2**31, 2**63, 2**64, 10**400, float("inf"), float("nan"), -0.0)
RAW: Final = (
    b"", b"null", b"[]", b"0", b'"', b"\xef\xbb\xbf{}", b"\xff\xfe", b"{" * 3_000, b"[" * 3_000, b'{"a":1,"a":2}',
    b'{"type":"echo","payload":{"a":1e400}}', b'{"type":"echo","payload":{"a":"\\u0000"}}',
    b'{"type":"echo","payload":{"a":"\\ud800"}}', b'{"type":"echo","payload":"{\\"a\\":1}"}',
)  # fmt: skip
KEYS: Final = (
    "", "job", "job.echo", "job.echo.p0", "job.echo.p11", "job.echo.p05", "job.echo.high", "job.nap.p5", "job.ehco.p5",
    "job..p5", "job.echo.echo.p5", "JOB.ECHO.P5", "jobs.echo.p5", "#", "*", "job.*.p5", "0." * 25 + "job.echo.p5",
    "job." + "a" * 200 + ".p5", "job.écho.p5", "x" * 255,
)  # fmt: skip


class Garbler:
    """One seed's messages."""

    def __init__(self, seed: int) -> None:
        self._seed, self._random = seed, random.Random(seed)

    def message(self, place: int) -> Stranger:
        chance = self._random
        fields: dict[str, Any] = {"type": "echo", "payload": {"message": place}}
        for _ in range(chance.choice((0, 0, 1, 1, 2, 4))):
            fields[chance.choice(FIELDS)] = self._value(3)
        body = self._body(fields)
        properties = {"app_id": short(f"garbled {self._seed} {place}".encode())}
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            name, make = chance.choice(tuple(self._properties().items()))
            properties[name] = make()
        key = chance.choice(KEYS) if chance.random() < 0.2 else "job.echo.p5"
        return Stranger(
            "garbled", None, body, properties, key=key, message_id=str(uuid.UUID(int=chance.getrandbits(128)))
        )

    def _body(self, fields: dict[str, Any]) -> bytes:
        chance = self._random
        body = json.dumps(fields, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
        match chance.randrange(12):
            case 0:
                return body[: chance.randrange(len(body))]
            case 1:
                at = chance.randrange(len(body))
                return body[:at] + chance.randbytes(chance.randrange(1, 4)) + body[at + 1 :]
            case 2:
                return chance.choice(RAW)
            case 3:
                return gzip.compress(body, mtime=0)
            case 4:
                return body.decode("utf-8", "replace").encode(chance.choice(("utf-16", "utf-8-sig", "utf-32")))
            case _:
                return body

    def _value(self, depth: int) -> Any:
        chance = self._random
        match chance.randrange(7 if depth else 4):
            case 0:
                return chance.choice(WORDS)
            case 1:
                return chance.choice(NUMBERS)
            case 2:
                return chance.choice((True, False, None))
            case 3:
                return chance.randrange(-(10**6), 10**6)
            case 4:
                return [self._value(depth - 1) for _ in range(chance.randrange(4))]
            case 5:
                return {chance.choice(WORDS): self._value(depth - 1) for _ in range(chance.randrange(4))}
            case _:
                return {"message": self._value(depth - 1)}

    def _properties(self) -> dict[str, Callable[[], bytes]]:
        chance = self._random
        return {
            "content_type": self._name(b"application/json", b"text/plain", b"application/json; charset=latin-1"),
            "content_encoding": self._name(b"", b"gzip", b"utf-8", b"UTF-8"),
            "headers": self._headers,
            "delivery_mode": lambda: bytes([chance.choice((1, 2))]),  # RabbitMQ takes no other
            "priority": lambda: bytes([chance.randrange(256)]),
            "correlation_id": self._name(b"", b"1", b"\x00", b"\xe9" * 255),
            "reply_to": self._name(b"", b"gone", b"births", b"work.default", b"amq.rabbitmq.reply-to.nobody", b"\x00"),
            "expiration": lambda: short(str(chance.choice((0, 1, 10_000))).encode()),
            "message_id": self._name(b"", b"7", b"\x00", b"{019a0000-0000-7000-8000-00000000000}", b"\xe9" * 255),
            "timestamp": lambda: number(chance.getrandbits(64)),
            "type": self._name(b"", b"echo", b"nap", b"caf\xe9", b"\x00"),
        }  # fmt: skip

    def _name(self, *known: bytes) -> Callable[[], bytes]:
        def make() -> bytes:
            strange = self._random.random() < 0.3
            return short(self._random.randbytes(self._random.randrange(64)) if strange else self._random.choice(known))

        return make

    def _headers(self) -> bytes:
        chance = self._random
        made = (
            header(b"run", b"l", number(chance.choice((0, 1, 2, 2**31, 2**40)))),
            header(b"run", b"S", text(b"1")),
            header(b"attempt", b"t", b"\x01"),
            header(
                b"traceparent",
                b"S",
                text(chance.choice((b"00-x", b"\x00", b"00-" + b"0" * 32 + b"-" + b"1" * 16 + b"-01"))),
            ),
            header(b"tracestate", b"S", text(chance.randbytes(20))),
            header(b"x-death", b"A", table()),
            header(b"x-death", b"S", text(b"soon")),
            header(b"t", b"T", number(chance.getrandbits(64))),
            header(chance.randbytes(8), b"x", text(chance.randbytes(30))),
            header(b"double", b"d", struct.pack(">d", chance.random())),  # over a NaN RabbitMQ trips itself
            header(b"nothing", b"V", b""),
        )
        return table(*chance.sample(made, chance.randrange(4)))
