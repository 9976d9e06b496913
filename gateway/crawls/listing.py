"""What a crawl has read, written out whole: a line an article, as JSON or as CSV, however many there are.

It is read a piece at a time while it is written, so that ten thousand articles never lie in memory at once, and ends
with the last that has been read by then.  A store that goes away meanwhile cuts the answer off, and a client sees that:
a chunked body without its end is no whole one.

CSV is for spreadsheets, and what stands there was written by whoever wrote the pages: a cell that a spreadsheet would
take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from gateway import answers
from persistence.crawls import read
from persistence.crawls.crawl import Found
from persistence.store.database import Database

PIECE: Final = 200  # articles
PIECE_BYTES: Final = 1024 * 1024  # of text in them
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

COLUMNS: Final[Mapping[str, Callable[[Found], object]]] = {
    "article_id": lambda one: one.article_id,
    "url": lambda one: one.url,
    "source": lambda one: one.source,
    "category": lambda one: one.category,
    "status": lambda one: "completed" if one.error is None else "failed",
    "title": lambda one: one.title,
    "author": lambda one: one.author,
    "published_at": lambda one: one.published_at,
    "language": lambda one: one.language,
    "word_count": lambda one: one.word_count,
    "scraped_at": lambda one: one.at.isoformat() if one.at and one.error is None else None,
    "cached": lambda one: ("true" if one.cached else "false") if one.error is None else None,
    "content": lambda one: one.text,
    "error": lambda one: one.error,
    "attempted_at": lambda one: one.at.isoformat() if one.at and one.error is not None else None,
}


async def lines(database: Database, crawl_id: UUID) -> AsyncIterator[bytes]:
    """NDJSON."""
    async for piece in _pieces(database, crawl_id):
        yield b"".join(answers.encode(answers.crawls.line(one)) + b"\n" for one in piece)


async def rows(database: Database, crawl_id: UUID) -> AsyncIterator[bytes]:
    """CSV as RFC 4180 has it, with its header."""
    yield _csv([list(COLUMNS)])
    async for piece in _pieces(database, crawl_id):
        yield _csv([_cell(column(one)) for column in COLUMNS.values()] for one in piece)


async def _pieces(database: Database, crawl_id: UUID) -> AsyncIterator[Sequence[Found]]:
    after = 0
    while piece := await read.results(database, crawl_id, PIECE, after, PIECE_BYTES):
        yield piece
        after = piece[-1].ordinal


def _csv(rows: Iterable[Sequence[object]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def _cell(value: object) -> str:
    said = "" if value is None else str(value)
    return f"'{said}" if said.startswith(FORMULA) else said
