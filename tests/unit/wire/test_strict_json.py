"""JSON that two readers would read in two ways is refused, and the sentence says what is wrong with it."""

from __future__ import annotations

import contextlib
import json
import math
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

import pytest
from pydantic import BaseModel

from wire import strict_json
from wire.errors import Refused


def nested(depth: int, inside: str = "1") -> str:
    return "[" * depth + inside + "]" * depth


REFUSED = [
    (b"", "is not JSON"),
    (b"   ", "is not JSON"),
    (b"nul", "is not JSON"),
    (b"{} {}", "Extra data"),
    (b'{"a": 1,}', "is not JSON"),
    (b"{'a': 1}", "is not JSON"),
    (b'{"a": 1 // one\n}', "is not JSON"),
    (b"01", "Extra data"),
    (b"0x10", "Extra data"),
    (b".5", "is not JSON"),
    (b"1_000", "Extra data"),
    ("\u0661".encode(), "is not JSON"),  # a digit, but not one of JSON's
    ("\u00a0{}".encode(), "is not JSON"),  # a space, but not one of JSON's
    (b'"\x01"', "Invalid control character"),
    (b'"a\nb"', "Invalid control character"),
    (b"\x00", "is not JSON"),
    (b'"\xff"', "is not UTF-8 (byte 1)"),
    (b'"\xed\xa0\x80"', "is not UTF-8"),  # a surrogate, written out
    (b'"\xc0\x80"', "is not UTF-8"),  # NUL in two bytes
    (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
    ('{"a": 1}'.encode("utf-16"), "is not UTF-8"),
    ('{"a": 1}'.encode("utf-16-le"), "is not JSON"),
    ('{"a": 1}'.encode("utf-32"), "is not UTF-8"),
    (b'{"a": "\\u0000"}', "holds \\u0000"),
    (b'{"\\u0000": 1}', "holds \\u0000"),
    (b'{"a": [{"b": {"c\\u0000": 1}}]}', "holds \\u0000"),
    (b'"\\\\\\u0000"', "holds \\u0000"),  # an escaped backslash, then NUL
    (b'"\\n\\u0000"', "holds \\u0000"),
    (b"NaN", "holds NaN"),
    (b'{"a": [NaN]}', "holds NaN"),
    (b"Infinity", "holds Infinity"),
    (b'{"a": -Infinity}', "holds -Infinity"),
    (b"1e400", "beyond the range of a double"),
    (b"-1e400", "beyond the range of a double"),
    (b'{"a": 1e131071}', "beyond the range of a double"),
    (b"1" + b"0" * 400 + b".5", "beyond the range of a double"),
    (b"9" * 1_001, "integer of 1001 digits"),
    (b"9" * 2_000, "integer of 2000 digits"),
    (b"9" * 5_000, "integer of 5000 digits"),  # beyond Python's own limit
    (b'{"a": 1, "a": 1}', "key 'a' twice"),
    (b'{"a": 1, "\\u0061": 2}', "key 'a' twice"),
    (b'[{"x": {"b": 1, "c": 2, "b": 3}}]', "key 'b' twice"),
    (b'"\\ud83d"', "lone surrogate"),
    (b'"\\ude00\\ud83d"', "lone surrogate"),
    (b'{"\\ud83d": 1}', "lone surrogate"),
    (nested(101).encode(), "nested deeper than 100"),
    (nested(101, inside="").encode(), "nested deeper than 100"),
    (b'{"a":' * 101 + b"1" + b"}" * 101, "nested deeper than 100"),
    (b"[" * 5_000 + b"]" * 5_000, "nested deeper than 100"),
    (b"[" * 200_000, "nested deeper than 100"),
    (f"[{'[],' * 200}{nested(100)}]".encode(), "nested deeper than 100"),  # wide and too deep
]


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=lambda value: repr(value)[:40])
def test_what_is_ambiguous_is_refused_with_a_word_for_it(text: bytes, words: str) -> None:
    with pytest.raises(Refused) as refused:
        strict_json.parse(text, "body")

    assert words in str(refused.value)
    assert "body" == refused.value.field
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"null", None),
        (b' \t\r\n{"a": 1}\n', {"a": 1}),
        (b'"\\\\u0000"', "\\u0000"),  # an escaped backslash, then letters
        (b'"\\\\\\\\u0000"', "\\\\u0000"),
        (b'"\\u00001"'.replace(b"0000", b"0001"), "\x011"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        ('"\U0001f600 é"'.encode(), "\U0001f600 é"),
        (b"9" * 30, int("9" * 30)),
        (b"-" + b"9" * 999, -int("9" * 999)),
        (b"1e308", 1e308),
        (b"1e-400", 0.0),
        (b"-0", 0),
        (b'{"a": {"a": {"a": 1}}}', {"a": {"a": {"a": 1}}}),  # the same key, each time in another object
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
    ],
    ids=repr,
)
def test_what_every_reader_reads_alike_is_taken(text: bytes, value: object) -> None:
    assert value == strict_json.parse(text)


def test_a_hundred_levels_are_taken() -> None:
    assert strict_json.parse(nested(100).encode())
    assert strict_json.parse(nested(100, inside="").encode())


def test_a_wide_body_is_not_a_deep_one() -> None:
    """
    The quick look counts brackets; only the slow one may refuse.
    """
    wide = [[{"n": n}] for n in range(500)]

    assert wide == strict_json.parse(json.dumps(wide).encode())


def test_brackets_in_a_text_are_not_levels() -> None:
    assert "[" * 5_000 == strict_json.parse(b'"' + b"[" * 5_000 + b'"')


def test_what_will_stand_inside_something_may_be_less_deep() -> None:
    assert strict_json.parse(nested(99).encode(), around=1)
    with pytest.raises(Refused, match="nested deeper"):
        strict_json.parse(nested(100).encode(), around=1)


@pytest.mark.parametrize(
    "hostile",
    [
        ("{" + ",".join(f'"{n:x}":1' for n in range(26_000)) + ',"0":1}').encode(),
        b'"' + b"\\" * 250_000 + b'"',
        b"[" + b"9" * 900 + (b"," + b"9" * 900) * 280 + b"]",
        b'{"a":' * 40_000,
        b"-" * 250_000,
    ],
    ids=["many keys, one twice", "backslashes", "long numbers", "braces", "signs"],
)
def test_a_hostile_body_costs_no_more_than_a_blink(hostile: bytes) -> None:
    began = time.process_time()  # not the clock on the wall: others may be at work
    with contextlib.suppress(Refused):
        strict_json.parse(hostile)

    assert time.process_time() - began < 1.0


class Colour(Enum):
    RED = "red"


class Model(BaseModel):
    name: str
    when: date


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.5, None, True, "é"]}, '{"a":[1,2.5,null,true,"é"]}'),
        ((1, 2), "[1,2]"),
        (Model(name="x", when=date(2026, 1, 2)), '{"name":"x","when":"2026-01-02"}'),
        ([Point(1)], '[{"x":1}]'),
        ({1}, "[1]"),
        (Colour.RED, '"red"'),
        (datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02T00:00:00Z"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Decimal("1.10"), '"1.10"'),
        (10**30, "1" + "0" * 30),
        ({1: "one"}, '{"1":"one"}'),
    ],
    ids=repr,
)
def test_what_a_job_may_return_becomes_json(value: object, text: str) -> None:
    assert text == strict_json.encode(value)


def failing() -> Iterator[int]:
    yield 1
    raise ZeroDivisionError


class Unreadable:
    def __iter__(self) -> Iterator[int]:
        raise RuntimeError("not today")


ring: list[object] = []
ring.append(ring)
deep: object = 1
for _ in range(101):
    deep = [deep]
deeper = deep
for _ in range(5_000):
    deeper = [deeper]


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        {"a": [math.inf]},
        [-math.inf],
        Decimal("nan") and {"x": float("nan")},
        "\x00",
        {"a\x00": 1},
        "\ud800",
        {"\udfff": 1},
        deep,
        deeper,
        ring,
        object(),
        object,
        lambda: None,
        failing(),
        Unreadable(),
        b"\xff",
        {(1, 2): 3},
        {b"a": 1},
        {1: "a", "1": "b"},
        {True: 1, "true": 2},
        10**1_500,
        10**5_000,
        [10**4_096],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_json_is_refused_and_never_raised(value: object) -> None:
    with pytest.raises(Refused) as refused:
        strict_json.encode(value)

    assert "result" == refused.value.field


@pytest.mark.parametrize("value", [{"a": [1, {"b": None}]}, "\U0001f600", 10**300, 1e-320, list(range(500))], ids=repr)
def test_what_was_encoded_is_taken_back(value: object) -> None:
    assert value == strict_json.parse(strict_json.encode(value).encode())
