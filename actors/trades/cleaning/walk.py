"""Go through a folder and all below it, deepest first, and delete what goes.

A folder is held open while the walk is below it, so that nothing that is renamed or replaced meanwhile leads it
elsewhere: a name means what it means in that folder.  One that was replaced by a link between the look and the step is
not entered, because no link is.  Other file systems are not entered either: somebody has mounted them there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from actors.trades.cleaning.account import Account
from actors.trades.cleaning.sorts import Sort
from actors.trades.folders import FOLDER

DEEPEST: Final = 100  # folders below each other, of which each is held open, twice
DEEPER: Final = f"lies more than {DEEPEST} folders deep"
MOUNTED: Final = "is another file system"


class Stopped(Exception):
    """The job was cancelled, or its time is over; what had gone has gone."""


@dataclass(slots=True)
class Walk:
    """One."""

    sort: Sort
    dry_run: bool
    stopped: Callable[[], bool]
    told: Callable[[Account], None]  # called for every name
    account: Account
    mount: tuple[int, str]

    def through(self, folder: int, path: str = "", depth: int = 0) -> bool:
        """Whether there is nothing left in it; or, on a dry run, would not be."""
        empty = True
        for entry in _entries(folder):
            if self.stopped():
                raise Stopped(f"stopped after {self.account.files} files")
            self.account.seen += 1
            self.told(self.account)
            gone = self._gone(folder, entry, f"{path}{entry.name}", depth)
            empty = empty and gone
        return empty

    def _gone(self, folder: int, entry: os.DirEntry[str], path: str, depth: int) -> bool:
        try:
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                return self._folder(folder, entry.name, path, found, depth)
            if not self.sort.file_goes(entry.name, found):
                return False
            if not self.dry_run:
                os.unlink(entry.name, dir_fd=folder)
            self.account.went(path, found)
        except FileNotFoundError:
            return True  # somebody else was quicker
        except OSError as e:
            self.account.stays(path, os.strerror(e.errno or 0))
            return False
        return True

    def _folder(self, above: int, name: str, path: str, found: os.stat_result, depth: int) -> bool:
        if depth >= DEEPEST:
            self.account.stays(path, DEEPER)
            return False
        folder = os.open(name, FOLDER, dir_fd=above)
        try:
            if mount(folder) != self.mount:
                self.account.stays(path, MOUNTED)
                return False
            empty = self.through(folder, f"{path}/", depth + 1)
        finally:
            os.close(folder)
        if not empty or not self.sort.folder_goes(found):
            return False
        if not self.dry_run:
            os.rmdir(name, dir_fd=above)
        self.account.folder_went(path)
        return True


def mount(folder: int) -> tuple[int, str]:
    """On which file system it is, and by which mount: a folder may be mounted a second time elsewhere."""
    try:
        with open(f"/proc/self/fdinfo/{folder}", encoding="ascii") as facts:
            number = next((line.split()[1] for line in facts if line.startswith("mnt_id:")), "")
    except OSError:  # not on Linux
        number = ""
    return os.fstat(folder).st_dev, number


def _entries(folder: int) -> Iterator[os.DirEntry[str]]:
    """As they are read: a folder of a million names is never held in memory."""
    with os.scandir(folder) as entries:
        yield from entries
