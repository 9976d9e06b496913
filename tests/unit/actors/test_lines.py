"""An attempt's lines: the last ones are kept, each is written once, and nothing is lost to a store that is away."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from actors import lines as room
from actors.lines import MOST_BYTES, MOST_LINES, Lines, unwritten
from persistence.attempts.attempt_logs import Piece


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    unwritten.take()
    yield
    unwritten.take()


def lines() -> Lines:
    return Lines(uuid4(), lease=1, attempt=1)


def taken(one: Lines) -> Piece:
    piece = one.take()
    assert piece is not None
    return piece


def test_what_is_taken_is_not_taken_again() -> None:
    one = lines()
    one.add(b"1")
    one.add(b"2")
    first = taken(one)
    one.add(b"3")

    assert ((1, 2, "1\n2"), (3, 3, "3")) == (
        (first.first, first.last, first.lines),
        ((second := taken(one)).first, second.last, second.lines),
    )
    assert one.take() is None


def test_the_last_lines_are_kept() -> None:
    one = lines()
    for number in range(1, MOST_LINES + 101):
        one.add(b"%d" % number)
    piece = taken(one)

    assert (101, MOST_LINES + 100, 101) == (piece.first, piece.last, piece.kept_from)
    assert [str(n) for n in range(101, MOST_LINES + 101)] == piece.lines.split("\n")


def test_lines_that_are_written_count_too() -> None:
    one = lines()
    for _ in range(MOST_LINES):
        one.add(b"x")
    taken(one)
    one.add(b"y")
    piece = taken(one)

    assert (MOST_LINES + 1, MOST_LINES + 1, 2) == (piece.first, piece.last, piece.kept_from)


def test_long_lines_push_out_old_ones_and_the_last_always_stays() -> None:
    one = lines()
    one.add(b"a")
    one.add(b"b" * (MOST_BYTES - 1))
    one.add(b"c")

    assert (2, 3) == ((piece := taken(one)).kept_from, piece.last)


def test_what_could_not_be_written_comes_again_in_its_place() -> None:
    one = lines()
    for number in range(1, 4):
        one.add(b"%d" % number)
    lost = taken(one)
    unwritten.take()
    one.add(b"4")
    one.put_back(lost)
    again = taken(one)

    assert (1, 4, "1\n2\n3\n4") == (again.first, again.last, again.lines)
    assert [one] == unwritten.take()


def test_what_comes_again_is_bounded_too() -> None:
    one = lines()
    one.add(b"old")
    lost = taken(one)
    for _ in range(MOST_LINES):
        one.add(b"new")
    one.put_back(lost)
    again = taken(one)

    assert (2, MOST_LINES + 1, 2) == (again.first, again.last, again.kept_from)


def test_the_keeper_is_told_of_the_first_only() -> None:
    told: list[int] = []
    unwritten.first_came = lambda: told.append(1)
    try:
        first, second = lines(), lines()
        for one in (first, second, first):
            one.add(b"x")
        only = unwritten.take([second, lines()])
        rest = unwritten.take()
        first.add(b"y")
        first.take()
        first.add(b"z")
    finally:
        unwritten.first_came = lambda: None

    assert ([second], [first]) == (only, rest)
    assert 2 == len(told)
    assert room.unwritten is unwritten
