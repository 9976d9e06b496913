"""`warren restore`: bring a backup back, into a database or a folder.

It is read twice: first to know that it is whole and opens, then into its place.  A database comes back in one
transaction, so a restore that ends in the middle has changed nothing.  What is there already is not overwritten unless
somebody insists.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from actors.trades.backups.make import told_manifest
from actors.trades.backups.manifest import ENDING, Manifest, stem
from actors.trades.backups.refill import into_database
from actors.trades.backups.unfolding import Unfolding
from actors.trades.backups.wanted import RestoreFailed, Say, Wanted, through
from persistence.backups.shelf import Shelf
from wire.errors import Refused, WarrenError
from wire.settings import load
from wire.slices.artifacts import Artifacts
from wire.slices.backup import Backup, spelt


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
            await into_database(shelf, manifest, wanted, backup, say)
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


async def _into_folder(shelf: Shelf, manifest: Manifest, wanted: Wanted, backup: Backup, say: Say) -> None:
    if "://" in wanted.to:
        raise Refused("--to", "the backup is of files", "name a folder")
    folder, holds_something = await asyncio.to_thread(_looked_at, wanted.to)
    if holds_something and not wanted.force:
        raise Refused("--to", f"there is something in {folder}", "name an empty folder, or insist with --force")
    key = backup.key.get_secret_value()
    say("reading it, to know that it is whole")
    await through(shelf, manifest, key, None)
    say(f"restoring into {folder}")
    await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
    unfolding = Unfolding(str(folder), force=wanted.force, owners=wanted.owners)
    try:
        await through(shelf, manifest, key, unfolding)
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
