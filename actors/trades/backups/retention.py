"""Delete the backups of a series that nobody wants any longer; never the newest, and nothing that is not a backup's.

A manifest goes first: a backup that is half deleted must not be taken for one.  What has no manifest was never finished
or was not deleted wholly, and goes when it is a day older than any backup that might still be under way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from actors.trades.backups.manifest import ENDING, Stem, stem
from persistence.backups.shelf import Shelf

UNDER_WAY: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Keep:
    """What stays: so many, and all that are younger; None is no bound."""

    newest: int | None = None
    younger_than: timedelta | None = None


def outlived(names: Iterable[str], made: Stem, keep: Keep, now: datetime) -> list[str]:
    """Which files go, manifests first; never those of the backup that has just been made."""
    files: dict[str, list[str]] = {}
    stems: dict[str, Stem] = {}
    for name in sorted(names):
        found = stem(name)
        if found and found.series == made.series:
            stems[str(found)] = found
            files.setdefault(str(found), []).append(name)
    whole = [one for one, parts in files.items() if f"{one}{ENDING}" in parts]
    whole.sort(key=lambda one: (one == str(made), stems[one].at, one), reverse=True)
    gone = [one for place, one in enumerate(whole) if place and _goes(place, stems[one].at, keep, now)]
    gone += [one for one in files if one not in whole and now - stems[one].at > UNDER_WAY and _bounded(keep)]
    return sorted((name for one in gone for name in files[one]), key=lambda name: not name.endswith(ENDING))


async def forget(shelf: Shelf, made: Stem, keep: Keep, now: datetime) -> list[str]:
    """What has been deleted."""
    if not _bounded(keep):
        return []
    gone = outlived([held.key for held in await shelf.held()], made, keep, now)
    for part in ([name for name in gone if name.endswith(ENDING)], [n for n in gone if not n.endswith(ENDING)]):
        if part:
            await shelf.delete(part)
    return gone


def _bounded(keep: Keep) -> bool:
    return keep.newest is not None or keep.younger_than is not None


def _goes(place: int, at: datetime, keep: Keep, now: datetime) -> bool:
    """`place` backups of its series are newer.  Who names both bounds keeps what either of them keeps."""
    too_many = keep.newest is not None and place >= keep.newest
    too_old = keep.younger_than is not None and now - at > keep.younger_than
    if keep.newest is not None and keep.younger_than is not None:
        return too_many and too_old
    return too_many or too_old
