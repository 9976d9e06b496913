"""Headers are read as RabbitMQ delivers them, whoever wrote them; nothing in them ends a reader."""

from __future__ import annotations

import random
import struct
from datetime import UTC, datetime
from decimal import Decimal

import pika.data
import pytest
from pamqp import decode

import actors.deliveries.consume
import wire.rabbitmq.amqp
from tests.faults.strangers import header, nested, number, table, text
from wire.rabbitmq.headers import MOST_DEEP, UNREADABLE, read_name, read_table, read_time

READ = [
    (b"t", b"\1", True), (b"b", b"\xff", -1), (b"B", b"\xff", 255), (b"s", b"\xff\xfe", -2),
    (b"u", b"\xff\xff", 65_535), (b"I", b"\xff\xff\xff\xff", -1), (b"l", b"\xff" * 8, -1),
    (b"i", b"\xff\xff\xff\xff", 4_294_967_295),
    (b"d", struct.pack(">d", 1.5), 1.5), (b"f", struct.pack(">f", 0.5), 0.5), (b"V", b"", None),
    (b"D", b"\2" + struct.pack(">i", -1234), Decimal("-12.34")), (b"S", text("é".encode()), "é"),
    (b"S", text(b"caf\xe9"), b"caf\xe9"), (b"x", text(b"\0\xff"), b"\0\xff"),
    (b"T", number(1_700_000_000), datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
    (b"T", number(1_700_000_000_000), 1_700_000_000_000), (b"T", number(2**64 - 1), 2**64 - 1),
    (b"F", table(header(b"a", b"t", b"\0")), {"a": False}), (b"A", table(b"t\1", b"V"), [True, None]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "meant"), READ)
def test_each_kind_of_value(kind: bytes, value: bytes, meant: object) -> None:
    frame = b"before" + table(header(b"h", kind, value), header(b"next", b"t", b"\1")) + b"after"

    assert ({"h": meant, "next": True}, len(frame) - 5) == read_table(frame, 6)


@pytest.mark.parametrize("kind", [b"F", b"A"])
def test_what_is_nested_without_end_stays_bytes(kind: bytes) -> None:
    found, _ = read_table(table(nested(10_000, kind)), 0)
    value, depth = found["deep"], 0
    while isinstance(value, dict | list):
        value, depth = (value["a"] if isinstance(value, dict) else value[0]), depth + 1

    assert (MOST_DEEP - 1, bytes) == (depth, type(value))


def test_what_cannot_be_understood_is_kept_with_all_that_follows() -> None:
    unknown = header(b"what", b"?", b"\1\2\3")
    frame = table(header(b"good", b"t", b"\1"), unknown)

    assert ({"good": True, UNREADABLE: unknown}, len(frame)) == read_table(frame, 0)


def test_a_name_that_is_not_utf_8_is_still_a_name() -> None:
    assert ("caf\ufffd", 5) == read_name(b"\4caf\xe9", 0)


@pytest.mark.parametrize("seconds", [2**63, 2**64 - 1, 253_402_300_800])
def test_a_number_that_no_calendar_has_stays_a_number(seconds: int) -> None:
    assert seconds == read_time(seconds)


@pytest.mark.parametrize("seed", range(20))
def test_no_bytes_end_it(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(500):
        frame = table(bytes(dice.choices(b"\0\1\2\4aAFSTDtx\xff", k=dice.randrange(60))))
        found, end = read_table(frame, 0)

        assert (dict, len(frame)) == (type(found), end)


def test_both_clients_read_with_it() -> None:
    """
    Each has its decoders in a module; that they are asked there is what a new version of either might change.
    """
    assert actors.deliveries.consume
    assert wire.rabbitmq.amqp
    assert (read_table, read_name) == (pika.data.decode_table, pika.data.decode_short_string)
    assert (15, {"t": 2**63}) == decode.by_type(table(header(b"t", b"T", number(2**63))), "table")
    assert (5, "caf\ufffd") == decode.by_type(b"\4caf\xe9", "shortstr")
    assert (8, None) == decode.by_type(number(2**63), "timestamp")


def test_a_whole_frame_of_a_stranger_is_read_by_pika() -> None:
    properties = pika.BasicProperties()
    properties.decode(b"\x20\x08" + table(nested(5_000, b"F")) + b"\4caf\xe9")

    assert ("caf\ufffd", ["deep"]) == (properties.app_id, list(properties.headers))
