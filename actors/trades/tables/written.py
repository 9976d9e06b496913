"""Have the engine answer: into a file, a piece at a time, or as the few records that a result has room for.

While it does, somebody counts: what was read is the job's progress, what is written may not become larger than an
artifact may be, and a job that should stop does.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import polars as pl

from actors.context import Context
from actors.ends import PermanentError
from actors.trades.tables.table import Kind, kind_of

SHOWN: Final = 20  # records of a file, in the result
MOST_TEXT: Final = 200  # characters of a text in one of these
BEGINS, ENDS = 0.15, 0.95  # of the job, when the engine begins and ends
CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8", "json": "application/json", "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}  # fmt: skip


class Meter:
    """Of one job; the engine calls it from threads of its own."""

    def __init__(self, job: Context, records: int) -> None:
        self._job, self._records = job, records
        self.read = self.written = 0
        self.first: list[dict[str, Any]] = []

    def reading(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """The same records, counted as they come."""
        return frame.map_batches(self._count, streamable=True)

    def writing(self, frame: pl.LazyFrame, out: Path, most_bytes: int) -> pl.LazyFrame:
        """The same records, on their way into this file."""

        def count(piece: pl.DataFrame) -> pl.DataFrame:
            self.written += piece.height
            if len(self.first) < SHOWN:
                self.first += list(plain(piece.head(SHOWN - len(self.first)), cut=True))
            if out.exists() and out.stat().st_size > most_bytes:
                raise PermanentError(
                    f"the outcome has more than {most_bytes} bytes after {self.written} records; ask for less of it, "
                    "or raise WARREN_MAX_ARTIFACT_BYTES"
                )
            return piece

        return frame.map_batches(count, streamable=True)

    def _count(self, piece: pl.DataFrame) -> pl.DataFrame:
        if self._job.asked_to_stop:
            raise asyncio.CancelledError
        self.read += piece.height
        done = min(1.0, self.read / self._records) if self._records else 1.0
        note = f"{self.read:,} of {self._records:,} records"
        self._job.progress = (BEGINS + (ENDS - BEGINS) * done, note)
        return piece


def write(frame: pl.LazyFrame, out: Path, format: str) -> None:
    """The answer in a file; refuses to make CSV of what has no cells."""
    if format == "csv":
        nested = [name for name, dtype in frame.collect_schema().items() if kind_of(dtype) is Kind.NESTED]
        if nested:
            words = ", ".join(map(repr, nested[:10]))
            raise PermanentError(
                f"payload.parameters.format: CSV has no cells for lists and objects: {words}; select others"
            )
        frame.sink_csv(out)
    elif format == "parquet":
        frame.sink_parquet(out)
    elif format == "ndjson":
        frame.sink_ndjson(out)
    else:
        lines = out.with_name(f"{out.name}.lines")
        frame.sink_ndjson(lines)
        _as_array(lines, out)


def _as_array(lines: Path, out: Path) -> None:
    with lines.open("rb") as file, out.open("wb") as array:
        array.write(b"[")
        for number, line in enumerate(file):
            array.write((b",\n" if number else b"\n") + line.rstrip(b"\n"))
        array.write(b"\n]\n")
    lines.unlink()


def collected(frame: pl.LazyFrame) -> pl.DataFrame:
    """The answer, wholly in memory; what was summed up in 128 bits and in decimals is plain again."""
    found = frame.collect(engine="streaming")
    for name, dtype in found.schema.items():
        if dtype == pl.Int128:
            small = found[name].cast(pl.Int64, strict=False)
            fits = small.null_count() == found[name].null_count()
            found = found.with_columns(small if fits else found[name].cast(pl.Float64))
        elif isinstance(dtype, pl.Decimal):
            found = found.with_columns(found[name].cast(pl.Float64))
    return found


def plain(frame: pl.DataFrame, *, cut: bool) -> Iterator[dict[str, Any]]:
    """Its records as JSON has them."""
    for record in frame.iter_rows(named=True):
        yield {_plain(name, False): _plain(value, cut) for name, value in record.items()}


def _plain(value: Any, cut: bool) -> Any:  # noqa: PLR0911 - a table
    match value:
        case float() if not math.isfinite(value):
            return None
        case Decimal():
            return float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return f"{len(value)} bytes"
        case str():
            text = value.replace("\0", "\ufffd")  # for which Postgres has no place
            return text[:MOST_TEXT] + "…" if cut and len(text) > MOST_TEXT else text
        case list():
            return [_plain(one, cut) for one in value]
        case dict():
            return {_plain(name, False): _plain(one, cut) for name, one in value.items()}
    return value
