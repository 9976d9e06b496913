"""`data_migration`: the operation that Warren comes with; it moves customers from an old database into a new one.

Both are SQLite files, so that it runs anywhere; the old one is made when it is first asked for.  It shows what such an
operation needs: batches, each of which is whole or has not happened; how far it is, and where it stopped, kept in the
destination in the same transaction as the rows; a look at `cancelled()` between two batches.  However often it is
interrupted and tried again, each row arrives once.

The SQL is here because the tables are not Warren's.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from actors.configured import configured
from actors.context import cancelled, progress
from actors.ends import PermanentError
from actors.trades.operations.legacy import LEGACY, converted, make_legacy
from actors.trades.operations.registry import operation
from wire.slices.operations import Operations

Name = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
WAIT_SECONDS: Final = 30.0  # for another migration into the same database to end its batch

NEW_TABLES: Final = """
CREATE TABLE IF NOT EXISTS customers (
    id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, surname TEXT NOT NULL, joined_on TEXT NOT NULL,
    balance_cents INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS migrated (source TEXT PRIMARY KEY, up_to INTEGER NOT NULL);
"""


class Migration(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"source": LEGACY, "destination": "new_db", "batch_size": 1000}]},
    )

    source: Name = Field(description="Database to read; `legacy_db` is made if it is not there")
    destination: Name = Field(description="Database to write; made if it is not there")
    batch_size: int = Field(1_000, ge=1, le=100_000, description="Rows in a transaction")


class Migrated(BaseModel):
    """What has moved."""

    source: str
    destination: str
    rows: int = Field(description="That this attempt has moved")
    batches: int
    rows_before: int = Field(description="That were there already, from attempts and jobs before")
    elapsed_seconds: float


class Interrupted(Exception):
    """The job was asked to stop; what has moved stays, and the rest can follow."""


@operation("data_migration")
def migrate(asked: Migration) -> Migrated:
    """Move all customers that have not moved yet."""
    if asked.source == asked.destination:
        raise PermanentError("payload.parameters.destination: it is the source")
    began, folder = time.monotonic(), _folder(configured(Operations).migration_folder)
    with _databases(folder, asked) as database:
        whole = database.execute("SELECT count(*) FROM old.customers").fetchone()[0]
        before = database.execute("SELECT count(*) FROM customers").fetchone()[0]
        rows = batches = 0
        while moved := _batch(database, asked):
            rows, batches = rows + moved, batches + 1
            progress(min(1.0, (before + rows) / whole), f"{before + rows} of {whole} rows")
            if cancelled():
                raise Interrupted(f"after {rows} rows")
    progress(1.0, f"{before + rows} of {whole} rows")
    return Migrated(
        source=asked.source, destination=asked.destination, rows=rows, batches=batches, rows_before=before,
        elapsed_seconds=round(time.monotonic() - began, 3),
    )  # fmt: skip


def _folder(named: str) -> Path:
    """Ours alone: among temporary files anybody could have put one of this name there."""
    folder = Path(named or f"{tempfile.gettempdir()}/warren-databases-{os.getuid()}").absolute()
    folder.mkdir(0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermanentError(f"{folder} is not a folder that this user alone may write into (WARREN_MIGRATION_FOLDER)")
    return folder


@contextlib.contextmanager
def _databases(folder: Path, asked: Migration) -> Iterator[sqlite3.Connection]:
    """The destination, with the source attached."""
    source, destination = folder / f"{asked.source}.sqlite", folder / f"{asked.destination}.sqlite"
    if not source.exists():
        if asked.source != LEGACY:
            known = ", ".join(sorted({path.stem for path in folder.glob("*.sqlite")} | {LEGACY}))
            raise PermanentError(f"payload.parameters.source: there is no database {asked.source!r}; known: {known}")
        make_legacy(source)
    with closing(
        sqlite3.connect(destination.as_uri(), timeout=WAIT_SECONDS, isolation_level=None, uri=True)
    ) as database:
        os.chmod(destination, 0o600)
        database.executescript(NEW_TABLES)
        _attach(database, source)
        yield database


def _attach(database: sqlite3.Connection, source: Path) -> None:
    try:
        database.execute("ATTACH DATABASE ? AS old", (f"{source.as_uri()}?mode=ro",))
        database.execute("SELECT id, name, joined, balance FROM old.customers LIMIT 0")
    except sqlite3.DatabaseError as e:
        raise PermanentError(f"payload.parameters.source: {source.stem!r} has no old customers: {e}") from None


def _batch(database: sqlite3.Connection, asked: Migration) -> int:
    """How many rows of the next batch have moved: all of them, or an exception and none."""
    database.execute("BEGIN IMMEDIATE")  # nobody else decides at the same time which rows are next
    try:
        found = database.execute("SELECT up_to FROM migrated WHERE source = ?", (asked.source,)).fetchone()
        rows = database.execute(
            "SELECT id, name, joined, balance FROM old.customers WHERE id > ? ORDER BY id LIMIT ?",
            (found[0] if found else 0, asked.batch_size),
        ).fetchall()
        if rows:
            new = [converted(*row) for row in rows]
            database.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?)", new)
            done = "INSERT INTO migrated VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET up_to = excluded.up_to"
            database.execute(done, (asked.source, rows[-1][0]))
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    return len(rows)
