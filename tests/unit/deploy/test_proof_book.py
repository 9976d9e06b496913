"""The witness is written by one write a line and read while it grows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.proof.book import Book
from deploy.proof.witness import Event, Witness, line, parse


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    witness, book = Witness(tmp_path / "witness"), Book(tmp_path / "witness")
    witness.began("a")
    witness.began("b")
    witness.ended("a")
    book.catch_up()
    book.close()

    assert ({"a", "b"}, {"a"}, {os.getpid()}) == (book.begun, book.ended, set(book.pids))
    assert (1, 1, 0) == (book.in_flight(), book.in_flight(os.getpid()), book.in_flight(1))


def test_a_line_that_is_half_there_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "witness"
    book = Book(path)
    with path.open("a") as file:
        for part in ("+ a 7 1.", "5\n- a"):
            file.write(part)
            file.flush()
            book.catch_up()
    book.close()

    assert [Event(True, "a", 7, 1.5)] == book.events


def test_what_a_killed_process_held_is_in_flight_no_more(tmp_path: Path) -> None:
    path = tmp_path / "witness"
    path.write_text("+ a 7 1.0\n+ b 8 1.0\n")
    book = Book(path)
    book.catch_up()
    book.forget(7)
    book.close()

    assert (1, 0) == (book.in_flight(), book.in_flight(7))


def test_a_line_is_text_there_and_back() -> None:
    event = Event(False, "019a", 12, 3.25)

    assert event == parse(line(event))


@pytest.mark.parametrize("text", ["* a 7 1.0", "+ a 7", "+ a x 1.0", ""])
def test_a_line_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)
