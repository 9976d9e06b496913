"""Say which line of a file is no record: the engine tells that there is one, and an offset at best.

Reads the file once more, by hand, up to the line; only files that cannot be read pay for it.
"""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from actors.ends import PermanentError

Fault = Callable[[], str | None]
LONGEST_CELL = 16 * 1024 * 1024


@contextlib.contextmanager
def named(what: str, fault: Fault = lambda: None) -> Iterator[None]:
    """What the engine cannot read, as a PermanentError about `what`; `fault` says where, if it finds it."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as e:
        raise PermanentError(f"{what}: {fault() or _words(e)}") from None
    except pl.exceptions.PanicException as e:  # no Exception: it would end whoever runs us
        raise PermanentError(f"{what}: the engine gave up: {_words(e)}") from None


def csv_fault(path: Path, separator: str, cells: int) -> str | None:
    """The first line of a CSV file with more cells than its header, or with a quote that does not end."""
    csv.field_size_limit(LONGEST_CELL)
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file, delimiter=separator, strict=True)
        while True:
            begins = lines.line_num + 1
            try:
                row = next(lines, None)
            except csv.Error as e:
                return f"line {begins}: {e}"
            if row is None:
                return None
            if len(row) > cells:
                return f"line {begins} has {len(row)} cells, its header {cells}"


def lines_fault(path: Path) -> str | None:
    """The first line that is no JSON object, or in which a name stands for another kind of value than before."""
    before: dict[str, str] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as e:
                return f"line {number} is no JSON: {getattr(e, 'msg', e)}"
            if not isinstance(record, dict):
                return f"line {number} is {_kind(record)} and no object"
            for name, value in record.items():
                kind = before.setdefault(name, _kind(value)) if value is not None else None
                if kind is not None and kind != _kind(value):
                    return f"line {number}: {name!r} is {_kind(value)}, and {kind} in a line before"
    return None


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    known = {str: "a text", list: "a list", dict: "an object", type(None): "null"}
    return known[type(value)]


def _words(error: BaseException) -> str:
    """The first line of what was said; those that follow are advice for programmers."""
    return str(error).strip().partition("\n")[0][:300] or type(error).__name__
