"""`warren restore`: bring a backup back, into a database or a folder.

It is read twice: first to know that it is whole and opens, then into its place.  A database comes back in one
transaction, so a restore that ends in the middle has changed nothing.  What is there already is not overwritten unless
somebody insists.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from actors.trades.backups.dump import words
from actors.trades.backups.make import told_manifest
from actors.trades.backups.manifest import ENDING, Manifest, stem
from actors.trades.backups.packing import Sink
from actors.trades.backups.programs import environment, program
from actors.trades.backups.unfolding import Unfolding
from actors.trades.backups.unpacking import Coming, unpack
from persistence.backups.server import Facts, facts_of
from persistence.backups.shelf import Shelf
from wire.errors import Refused, WarrenError
from wire.settings import load
from wire.slices import check_place, postgres_url
from wire.slices.artifacts import Artifacts
from wire.slices.backup import Backup, spelt

LOCKED: Final = "-c lock_timeout=30s"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be restored, and where to."""

    backup: str  # its address, its manifest's, or a place: then the newest there
    to: str  # postgresql://… or a folder
    force: bool = False
    owners: bool = False


class RestoreFailed(Exception):
    """pg_restore has said why; nothing has been changed."""


async def brought_back(wanted: Wanted) -> int:
    """The command, for a person at a terminal; how it ended as a program says it."""
    try:
        settings = load("backup", "artifacts")
        await restore(wanted, settings.backup, settings.artifacts, _said)
    except (WarrenError, RestoreFailed, OSError) as e:
        print(f"warren restore: {e}", file=sys.stderr)  # noqa: T201 - for the person who started it
        return 1
    _said("restored")
    return 0


def _said(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - for the person who started it


async def restore(wanted: Wanted, backup: Backup, artifacts: Artifacts, say: Say) -> Manifest:
    """What has been restored; Refused or Unavailable if nothing has."""
    place, _, name = _where(wanted.backup, backup).rpartition("/")
    shelf = Shelf(f"{place}/", artifacts)
    try:
        manifest = await _found(shelf, name)
        say(f"{shelf.place}{manifest.file}: {manifest.source} of {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC")
        if manifest.kind == "database":
            await _into_database(shelf, manifest, wanted, backup, say)
        else:
            await _into_folder(shelf, manifest, wanted, backup, say)
        return manifest
    finally:
        await shelf.stop()


def _where(address: str, backup: Backup) -> str:
    """Where it really lies."""
    try:
        url = spelt(address).rstrip("/") + ("/" if address.endswith("/") else "")
    except ValueError as e:
        raise Refused("backup", str(e)) from None
    for known, lies in sorted(backup.standing.items(), key=lambda pair: -len(pair[0])):
        if url.startswith(known):
            return lies + url[len(known) :]
    return url


async def _found(shelf: Shelf, name: str) -> Manifest:
    """The one of this name, or the newest that lies here."""
    held = {one.key: one.size_bytes for one in await shelf.held()}
    name = _manifest_of(name, held, shelf.place) if name else _newest(held, shelf.place)
    manifest = await told_manifest(shelf, name, held[name])
    if held.get(manifest.file) != manifest.size_bytes:
        there = f"has {held[manifest.file]} bytes" if manifest.file in held else "is not there"
        raise Refused("backup", f"{manifest.file} {there}; its manifest tells of {manifest.size_bytes} bytes")
    return manifest


def _manifest_of(name: str, held: dict[str, int], place: str) -> str:
    wanted = stem(name)
    if not wanted:
        raise Refused("backup", f"{name!r} is no backup's name", "for the newest in a place end it with a slash")
    if f"{wanted}{ENDING}" not in held:
        raise Refused("backup", f"there is no {wanted}{ENDING} in {place}", _known(held))
    return f"{wanted}{ENDING}"


def _newest(held: dict[str, int], place: str) -> str:
    stems = [found for key in held if key.endswith(ENDING) and (found := stem(key))]
    names = {one.series for one in stems}
    if len(names) != 1:
        if not names:
            raise Refused("backup", f"there is none in {place}")
        problem = f"{place} has backups of {len(names)} names: {', '.join(sorted(names))}"
        raise Refused("backup", problem, _known(held))
    return f"{max(stems, key=lambda one: (one.at, str(one)))}{ENDING}"


def _known(held: dict[str, int]) -> str:
    names = sorted(key for key in held if key.endswith(ENDING) and stem(key))
    return f"there is {', '.join(names[-5:])}" if names else "there is no backup here"


async def _into_database(shelf: Shelf, manifest: Manifest, wanted: Wanted, backup: Backup, say: Say) -> None:
    try:
        url = postgres_url(wanted.to)
        check_place(url)
    except ValueError as e:
        remedy = "the backup is a database's: write postgresql://user@host/database"
        raise Refused("--to", str(e), remedy) from None
    there = await facts_of(url)
    if there.tables and not wanted.force:
        remedy = "restore into an empty database, or insist with --force"
        raise Refused("--to", f"the database {there.name} has {there.tables} tables, views and sequences", remedy)
    key = backup.key.get_secret_value()
    say("reading it, to know that it is whole")
    await _through(shelf, manifest, key, None)
    say(f"restoring into {there.name}")
    await _fed(shelf, manifest, key, _pg_restore(url, there, wanted, backup.programs))


async def _into_folder(shelf: Shelf, manifest: Manifest, wanted: Wanted, backup: Backup, say: Say) -> None:
    if "://" in wanted.to:
        raise Refused("--to", "the backup is of files", "name a folder")
    folder, holds_something = await asyncio.to_thread(_looked_at, wanted.to)
    if holds_something and not wanted.force:
        raise Refused("--to", f"there is something in {folder}", "name an empty folder, or insist with --force")
    key = backup.key.get_secret_value()
    say("reading it, to know that it is whole")
    await _through(shelf, manifest, key, None)
    say(f"restoring into {folder}")
    await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
    unfolding = Unfolding(str(folder), force=wanted.force, owners=wanted.owners)
    try:
        await _through(shelf, manifest, key, unfolding)
    except BrokenPipeError:
        pass  # whoever takes it has ended, and says why below
    finally:
        await asyncio.to_thread(unfolding.finish)


def _looked_at(to: str) -> tuple[Path, bool]:
    """The folder, and whether there is something in it."""
    folder = Path(to).absolute()
    if folder.exists() and not folder.is_dir():
        raise Refused("--to", f"{folder} is no folder")
    return folder, folder.exists() and any(folder.iterdir())


async def _through(shelf: Shelf, manifest: Manifest, key: str, sink: Sink | None) -> None:
    coming = Coming(shelf.read(manifest.file, manifest.size_bytes), asyncio.get_running_loop())
    await asyncio.to_thread(unpack, coming, manifest, key, sink)


async def _fed(shelf: Shelf, manifest: Manifest, key: str, command: Command) -> None:
    """The program takes all of it, or is ended before it can have."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - a program of Postgres, which is up in a millisecond
            command.words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=command.environ
        )
        assert process.stdin is not None
        try:
            await _through(shelf, manifest, key, process.stdin)
        except BrokenPipeError:
            pass  # it has ended, and says why below
        except BaseException:
            process.kill()
            raise
        finally:
            code = await asyncio.to_thread(_ended, process)
        if code:
            raise RestoreFailed(f"pg_restore ended with {code}, and nothing was changed: {words(said)}")


def _ended(process: subprocess.Popen[bytes]) -> int:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    return process.wait()


@dataclass(frozen=True, slots=True)
class Command:
    words: list[str]
    environ: dict[str, str]


def _pg_restore(url: str, there: Facts, wanted: Wanted, folder: str) -> Command:
    words = [program("pg_restore", there.major, folder), "--single-transaction", "--exit-on-error", "--no-password"]
    if wanted.force:
        words += ["--clean", "--if-exists"]
    if not wanted.owners:
        words += ["--no-owner", "--no-privileges"]
    quoted = there.name.replace("\\", "\\\\").replace("'", "\\'")
    return Command([*words, f"--dbname=dbname='{quoted}'"], environment(url, PGOPTIONS=LOCKED))
