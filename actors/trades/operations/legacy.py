"""The old database of the sample operation: customers as somebody kept them twenty years ago.  The same ones each time.

Names in one field, days the other way round, money with a comma: `converted` says what becomes of them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from uuid import uuid4

LEGACY: Final = "legacy_db"
ROWS: Final = 10_000
FIRST_NAMES: Final = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Fern", "Gus", "Hope", "Ivan", "June", "Karl")
SURNAMES: Final = ("Ashdown", "Briar", "Coney", "Dale", "Eskdale", "Furrow", "Glen", "Heath", "Iris", "Jarrow")


def make_legacy(path: Path) -> None:
    """Under another name first: what has this name is whole."""
    half = path.with_name(f".{path.name}.{uuid4()}")
    try:
        with closing(sqlite3.connect(half)) as database, database:
            database.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, joined TEXT, balance TEXT)")
            database.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", _rows())
        os.chmod(half, 0o600)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def converted(number: int, name: str, joined: str, balance: str) -> tuple[int, str, str, str, int]:
    """An old row as a new one: id, first name, surname, day of joining, balance in cents."""
    surname, _, first = name.partition(", ")
    day, month, year = joined.split(".")
    return number, first, surname, f"{year}-{month}-{day}", int(balance.replace(".", "").replace(",", ""))


def _rows() -> Iterator[tuple[int, str, str, str]]:
    for number in range(1, ROWS + 1):
        name = f"{SURNAMES[number % len(SURNAMES)]}, {FIRST_NAMES[number % len(FIRST_NAMES)]}"
        joined = f"{1 + number % 28:02}.{1 + number % 12:02}.{1995 + number % 12}"
        cents = number * 7_919 % 1_000_000
        whole = f"{cents // 100:,}".replace(",", ".")
        yield number, name, joined, f"{whole},{cents % 100:02}"
