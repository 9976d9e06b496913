"""Fill a database from a dump, in one transaction.

`pg_restore` does it alone, but where somebody insists and both have Warren's own schema.  It drops only what it knows:
a table that a newer Warren has made stays, and holds on to the schema that must go.  So there the schema goes first, by
`psql`, within the same transaction, and pg_restore writes what psql does.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

from actors.trades.backups.dump import words
from actors.trades.backups.manifest import Manifest
from actors.trades.backups.programs import environment, program
from actors.trades.backups.wanted import RestoreFailed, Say, Wanted, through
from persistence.backups import server
from persistence.backups.server import Facts
from persistence.backups.shelf import Shelf
from persistence.store.database import SCHEMA
from wire.errors import Refused
from wire.slices import check_place, postgres_url
from wire.slices.backup import Backup

LOCKED: Final = "-c lock_timeout=30s"
OURS: Final = re.compile(rf"^\d+; \d+ \d+ SCHEMA - {SCHEMA} ", re.MULTILINE)  # as a list of contents has it
UNTIL_ERROR: Final = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--no-password", "--file=-")


@dataclass(frozen=True, slots=True)
class Target:
    """A database, and who fills it."""

    url: str
    facts: Facts
    programs: str  # the folder that settings name
    wanted: Wanted

    def program(self, name: str) -> str:
        return program(name, self.facts.major, self.programs)

    @property
    def environ(self) -> dict[str, str]:
        return environment(self.url, PGOPTIONS=LOCKED)

    @property
    def named(self) -> str:
        quoted = self.facts.name.replace("\\", "\\\\").replace("'", "\\'")
        return f"--dbname=dbname='{quoted}'"

    @property
    def pg_restore(self) -> list[str]:
        said = [self.program("pg_restore"), "--no-password"]
        said += ["--clean", "--if-exists"] if self.wanted.force else []
        return said if self.wanted.owners else [*said, "--no-owner", "--no-privileges"]


async def into_database(shelf: Shelf, manifest: Manifest, wanted: Wanted, backup: Backup, say: Say) -> None:
    """Refused if there is something that must not be replaced; RestoreFailed with what Postgres says."""
    there = await _target(wanted, backup)
    key = backup.key.get_secret_value()
    say("reading it, to know that it is whole")
    if wanted.force and there.facts.ours:
        with _listing(there) as listed:
            await through(shelf, manifest, key, listed)
        clear_first = listed.has_ours
    else:
        await through(shelf, manifest, key, None)
        clear_first = False
    if clear_first:
        await _check_bystanders(there)
    say(f"restoring into {there.facts.name}")
    await (_replaced if clear_first else _filled)(shelf, manifest, key, there)


async def _target(wanted: Wanted, backup: Backup) -> Target:
    try:
        url = postgres_url(wanted.to)
        check_place(url)
    except ValueError as e:
        remedy = "the backup is a database's: write postgresql://user@host/database"
        raise Refused("--to", str(e), remedy) from None
    there = await server.facts_of(url)
    if there.tables and not wanted.force:
        remedy = "restore into an empty database, or insist with --force"
        raise Refused("--to", f"the database {there.name} has {there.tables} tables, views and sequences", remedy)
    return Target(url, there, backup.programs, wanted)


async def _check_bystanders(there: Target) -> None:
    """What somebody else has made of Warren's tables is not ours to drop."""
    if found := await server.bystanders_of(there.url):
        remedy = "drop it and make it anew afterwards, or restore into a new database"
        raise Refused("--to", f"{', '.join(found)} in {there.facts.name} hangs on Warren's own tables", remedy)


async def _filled(shelf: Shelf, manifest: Manifest, key: str, there: Target) -> None:
    """By pg_restore alone."""
    command = [*there.pg_restore, "--single-transaction", "--exit-on-error", there.named]
    with tempfile.TemporaryFile() as said, _started(command, there, said, stdout=subprocess.DEVNULL) as process:
        await _poured(shelf, manifest, key, process)
        await _ended([process], said)


async def _replaced(shelf: Shelf, manifest: Manifest, key: str, there: Target) -> None:
    """By psql, which is told to commit when pg_restore has written all of it, and else rolls back."""
    filling = [there.program("psql"), *UNTIL_ERROR, there.named]
    with (
        tempfile.TemporaryFile() as said,
        _started(filling, there, said, stdout=subprocess.DEVNULL) as psql,
        _started([*there.pg_restore, "--file=-"], there, said, stdout=psql.stdin) as writing,
    ):
        _say(psql, server.CLEARED)
        await _poured(shelf, manifest, key, writing)
        if not await asyncio.to_thread(_code, writing):
            _say(psql, "COMMIT;\n")  # only now: a script that breaks off is one that psql would take for whole
        await _ended([psql, writing], said)


async def _poured(shelf: Shelf, manifest: Manifest, key: str, process: subprocess.Popen[bytes]) -> None:
    """All of it, or until the program has ended, which then says why."""
    with contextlib.suppress(BrokenPipeError):
        await through(shelf, manifest, key, process.stdin)


async def _ended(processes: Sequence[subprocess.Popen[bytes]], said: IO[bytes]) -> None:
    """All of them, well; the first that did not is told of."""
    for process in processes:
        if code := await asyncio.to_thread(_code, process):
            name = str(process.args[0]).rpartition("/")[2]  # type: ignore[index] # a list, as we have given it
            raise RestoreFailed(f"{name} ended with {code}, and nothing was changed: {words(said)}")


def _code(process: subprocess.Popen[bytes]) -> int:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    return process.wait()


def _say(process: subprocess.Popen[bytes], statements: str) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # its end says why
        process.stdin.write(statements.encode())
        process.stdin.flush()


@contextmanager
def _started(
    command: Sequence[str], there: Target, said: IO[bytes], stdout: int | IO[bytes] | None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of Postgres; one that still runs at the end is killed before it can have all."""
    process = subprocess.Popen(  # noqa: S603 - a program of Postgres, which is up in a millisecond
        command, stdin=subprocess.PIPE, stdout=stdout, stderr=said, env=there.environ
    )
    try:
        yield process
    finally:
        process.kill()
        _code(process)


class Listing:
    """Takes a dump as it comes, and knows from its head whether Warren's own schema is in it."""

    def __init__(self, process: subprocess.Popen[bytes], listed: IO[bytes]) -> None:
        self._process, self._listed = process, listed
        self.has_ours = False

    def write(self, piece: bytes) -> int:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it reads no more than the head
            self._process.stdin.write(piece)
        return len(piece)

    def finish(self) -> None:
        _code(self._process)
        self._listed.seek(0)
        self.has_ours = OURS.search(self._listed.read().decode(errors="replace")) is not None


@contextmanager
def _listing(there: Target) -> Iterator[Listing]:
    command = [there.program("pg_restore"), "--list"]
    with (
        tempfile.TemporaryFile() as listed,
        tempfile.TemporaryFile() as said,
        _started(command, there, said, stdout=listed) as process,
    ):
        listing = Listing(process, listed)
        yield listing
        listing.finish()
