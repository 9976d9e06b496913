"""Open a file as a table: CSV, JSON (an array of objects, or an object a line) or Parquet.

What it is, is what its name ends in, or what it begins with.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from actors.configured import configured
from actors.ends import PermanentError
from actors.trades.tables import kinds, row_groups
from actors.trades.tables.array import DEEPEST, LONGEST, records, too_deep
from actors.trades.tables.faults import csv_fault, lines_fault, named
from actors.trades.tables.plain import Text, Unpacker
from actors.trades.tables.table import Kind, Table, kind_of
from wire.slices.datasets import Datasets

FORMATS: Final = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "json": "json", "ndjson": "ndjson", "jsonl": "ndjson",
    "parquet": "parquet", "pq": "parquet",
}  # fmt: skip
SEPARATORS: Final = ",;\t|"
MOST_HEADER: Final = 4 * 1024 * 1024  # characters
MOST_COLUMNS: Final = 5_000


@dataclass(frozen=True, slots=True)
class How:
    """What a payload says of a file."""

    format: str | None = None
    separator: str | None = None
    encoding: str | None = None
    missing: list[str] = field(default_factory=list)
    first: int | None = None  # so many records alone
    wanted: Collection[str] | None = None  # columns whose kinds matter, if not all do: each costs a look at a CSV file


def opened(path: Path, unpacker: Unpacker, how: How, field: str) -> Table:
    """The table of the payload's `field`, or PermanentError that names it."""
    plain = unpacker.unpacked(path, field)
    said = how.format or _by_name(path) or _by_content(plain)
    if said == "parquet":
        return _parquet(plain, path.name, how, field)
    text = unpacker.text(plain, how.encoding, field)
    if how.format is None and _begin(text.path) == "<":
        raise PermanentError(f"{field}: {path.name} is a page (HTML or XML) and no table")
    if said == "csv":
        return _csv(text, path.name, how, field)
    return _json(text, path.name, how, said, field)


def _by_name(path: Path) -> str | None:
    name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    return FORMATS.get(name.rpartition(".")[2])


def _by_content(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"PAR1"):
        return "parquet"
    begin = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t")[:1]
    return {b"[": "json", b"{": "ndjson"}.get(begin, "csv")


def _parquet(path: Path, name: str, how: How, field: str) -> Table:
    with named(f"{field}: {name}"):
        frame = pl.scan_parquet(path, glob=False)
        count = frame.select(pl.len()).collect(engine="streaming").item()
        most = configured(Datasets).dataset_max_row_group_bytes
        held = partial(row_groups.check, path, f"{field}: {name}", first=how.first, most_bytes=most)
        return _of_engine(Table(name, "parquet", frame, {}, count, field, check=held), how)


def _of_engine(table: Table, how: How) -> Table:
    """Its kinds are what the engine says."""
    said = {column: kind_of(dtype) for column, dtype in table.frame.collect_schema().items()}
    if how.first is None:
        return replace(table, kinds=said)
    return replace(table, kinds=said, frame=table.frame.head(how.first), records=min(table.records, how.first))


def _csv(text: Text, name: str, how: How, field: str) -> Table:
    what = f"{field}: {name}"
    separator, header = _header(text.path, how.separator, what)
    fault = partial(csv_fault, text.path, separator, len(header))
    with named(what, fault):
        texts = pl.scan_csv(text.path, separator=separator, schema=dict.fromkeys(header, pl.String), glob=False)
        texts = texts if how.first is None else texts.head(how.first)
        looked_at = [column for column in header if how.wanted is None or column in how.wanted]
        found = kinds.found(texts, looked_at, how.missing)
    every = {column: found.kinds.get(column, Kind.TEXT) for column in header}
    values = {column: kinds.typed(column, kind, how.missing) for column, kind in every.items()}
    return Table(
        name, "csv", texts, every, found.records, field, values, found.places, partial(_read, how.missing), fault
    )  # fmt: skip


def _read(missing: list[str], texts: pl.LazyFrame, said: Mapping[str, Kind], places: Mapping[str, int]) -> pl.LazyFrame:
    return kinds.read(texts, said, missing, places)


def _header(path: Path, separator: str | None, what: str) -> tuple[str, list[str]]:
    """What separates its cells, and the names of its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        head = file.read(MOST_HEADER)
    if not head.strip():
        raise PermanentError(f"{what} is empty")
    first = re.sub(r'"[^"]*"', "", head.lstrip("\r\n").partition("\n")[0])
    separator = separator or max(SEPARATORS, key=lambda one: (first.count(one), -SEPARATORS.index(one)))
    csv.field_size_limit(MOST_HEADER)
    names = [name.strip() for name in next(csv.reader(io.StringIO(head, newline=""), delimiter=separator), [])]
    names = [name or f"column_{number}" for number, name in enumerate(names, start=1)]
    if "\n" not in head and len(head) >= MOST_HEADER:
        raise PermanentError(f"{what} has no line that ends within {MOST_HEADER} characters: it is no table")
    if len(names) > MOST_COLUMNS:
        raise PermanentError(f"{what} has {len(names)} columns; at most {MOST_COLUMNS} are taken")
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise PermanentError(f"{what} has two columns of the name {twice[0]!r}")
    return separator, names


def _json(text: Text, name: str, how: How, said: str, field: str) -> Table:
    what, path, count = f"{field}: {name}", text.path, text.lines
    if said == "json" and _begin(path) == "[":
        path = path.with_name(f"{path.name}.lines")
        count = _lines_of_array(text.path, path, what)
    else:
        _refuse_monsters(path, what)
    if not count or not path.stat().st_size:
        raise PermanentError(f"{what} has no records")
    fault = partial(lines_fault, path)
    with named(what, fault):
        frame = pl.scan_ndjson(path, infer_schema_length=None)
        return _of_engine(Table(name, said, frame, {}, count, field, fault=fault), how)


def _begin(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(1024).lstrip()[:1]


def _lines_of_array(path: Path, out: Path, what: str) -> int:
    """Write each object of an array on a line of its own, as the engine reads them a piece at a time."""
    count = 0
    with path.open(encoding="utf-8") as file, out.open("w", encoding="utf-8") as lines:
        for count, record in enumerate(records(file, what), start=1):
            if not isinstance(record, dict):
                raise PermanentError(f"{what}: record {count} is no object")
            line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
            if too_deep(line):
                raise PermanentError(f"{what}: record {count} is nested deeper than {DEEPEST} times")
            lines.write(f"{line}\n")
    return count


def _refuse_monsters(path: Path, what: str) -> None:
    """Lines that would end the engine instead of failing in it."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(iter(partial(file.readline, LONGEST), ""), start=1):
            if len(line) == LONGEST:
                raise PermanentError(f"{what}: line {number} has more than {LONGEST} characters")
            if too_deep(line):
                raise PermanentError(f"{what}: line {number} is nested deeper than {DEEPEST} times")
