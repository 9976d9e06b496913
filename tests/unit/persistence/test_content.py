"""What a job gives us to keep becomes one measured stream, whatever it was; its names and types are checked."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import io
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from persistence.artifacts.artifact import checked_name, checked_type
from persistence.artifacts.content import PIECE, Measured
from wire.errors import Refused

TEXT = b"0123456789" * 200_000
whose = contextvars.ContextVar[str]("whose", default="nobody's")


async def async_pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(TEXT), 300_000):
        yield TEXT[start : start + 300_000]


def pieces() -> Iterator[bytes]:
    for start in range(0, len(TEXT), 300_000):
        yield TEXT[start : start + 300_000]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    return path


@pytest.mark.parametrize(
    "content",
    [
        lambda _: TEXT, lambda _: bytearray(TEXT), lambda _: memoryview(TEXT), lambda file: file,
        lambda _: io.BytesIO(TEXT), lambda _: pieces(), lambda _: list(pieces()), lambda _: async_pieces(),
    ],
    ids=["bytes", "bytearray", "memoryview", "path", "file", "generator", "list", "async generator"],
)  # fmt: skip
async def test_whatever_it_is_it_is_measured_on_its_way(content: Callable[[Path], Any], file: Path) -> None:
    measured = Measured(content(file), most_bytes=len(TEXT))
    found = [piece async for piece in measured]

    assert TEXT == b"".join(found)
    assert (len(TEXT), hashlib.sha256(TEXT).digest()) == (measured.size, measured.sha256)
    assert len(found) == 1 or max(map(len, found)) <= PIECE


async def test_an_iterator_that_may_block_is_asked_on_a_thread_in_the_context_of_its_job() -> None:
    seen: set[tuple[str, bool]] = set()

    def watched() -> Iterator[bytes]:
        for _ in range(3):
            seen.add((whose.get(), threading.current_thread() is threading.main_thread()))
            yield b"x"

    whose.set("mine")
    assert [b"x"] * 3 == [piece async for piece in Measured(watched(), 10)]
    assert {("mine", False)} == seen


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("text", r"content: is text; save the bytes: text\.encode\(\)"),
        (7, "content: is a int; save bytes, a path, a binary file or an iterator of bytes"),
        (["a"], "content: has a piece that is a str; yield bytes"),
        ([b"x" * 6, b"y" * 6], "content: has more than 10 bytes; save it in parts, or raise WARREN_MAX_ARTIFACT_BYTES"),
    ],
)
async def test_what_is_not_bytes_or_too_many_is_refused_by_name(content: Any, words: str) -> None:
    with pytest.raises(Refused, match=f"^{words}$"):
        [piece async for piece in Measured(content, 10)]


async def test_what_an_iterator_raises_goes_through() -> None:
    def breaks() -> Iterator[bytes]:
        yield b"x"
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        [piece async for piece in Measured(breaks(), 10)]
    await asyncio.sleep(0)


@pytest.mark.parametrize("name", ["", " ", "a" * 256, "a\nb", "a\x00b", "a\u2028b", "\ud800", 7])
def test_a_name_that_cannot_be_printed_is_refused(name: Any) -> None:
    with pytest.raises(Refused, match=r"^name: "):
        checked_name(name)


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("page.html", None, "text/html"), ("a.unheard-of", None, "application/octet-stream"),
        ("a", "text/html; charset=utf-8", "text/html; charset=utf-8"), ("a", 'a/b; c="d e"', 'a/b; c="d e"'),
        ("a", "application/vnd.ms-excel", "application/vnd.ms-excel"),
    ],
)  # fmt: skip
def test_a_type_is_kept_as_it_was_given_or_guessed_by_the_name(name: str, given: str | None, kept: str) -> None:
    assert kept == checked_type(name, given)


@pytest.mark.parametrize("given", ["", "html", "text/html\r\nX: y", "text/ html", "a/b; c", "text/" + "x" * 200, "ä/b"])
def test_a_type_that_would_not_go_into_a_header_is_refused(given: str) -> None:
    with pytest.raises(Refused, match=r"^content_type: "):
        checked_type("a", given)
