"""A cursor names the place it was made for, and nothing else is one."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest

from gateway.entrance import cursor
from persistence.questions.reads import Job
from wire.errors import Refused

ID = UUID("01920000-0000-7000-8000-000000000001")


@pytest.mark.parametrize("year", [1, 1969, 1970, 2026, 9999])
def test_a_cursor_leads_back_to_its_place(year: int) -> None:
    at = datetime(year, 3, 4, 5, 6, 7, 123_456, tzinfo=UTC)
    word = cursor.write(cast(Job, SimpleNamespace(created_at=at, id=ID)))

    assert cursor.Place(at, ID) == cursor.parse("cursor", word)


@pytest.mark.parametrize("number", [0, 1, 2**40, 2**63 - 1])
def test_a_number_is_found_again(number: int) -> None:
    assert number == cursor.parse_number("cursor", cursor.write_number(number))


@pytest.mark.parametrize("word", ["", "AAAA", "A" * 13, "A" * 32, "/" * 12, "_" * 12, "AP__________", "é" * 12])
def test_another_word_is_no_number(word: str) -> None:
    with pytest.raises(Refused, match="cursor"):
        cursor.parse_number("cursor", word)


@pytest.mark.parametrize(
    "word", ["", "A", "AAAA", "A" * 31, "A" * 33, "f" * 32, "é" * 32, "A" * 31 + "=", " " * 32, "+/" * 16]
)
def test_another_word_is_refused(word: str) -> None:
    with pytest.raises(Refused, match="cursor"):
        cursor.parse("cursor", word)
