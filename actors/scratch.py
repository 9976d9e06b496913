"""Folders for the files that attempts have in hand: one each, for this user alone, gone with the attempt.

    <folder of the settings>/warren-scratch-<user>/<worker process>/<job>.<lease>

A process holds a lock on its own folder for as long as it lives; one that was killed has let go of it, and the next
that starts deletes what it left.  The lock belongs to the machine and not to a process id, so it holds for
containers that share a folder too.  Refuses a user's folder that others may write into, or have made: they could put a
link where we put a file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
import threading
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

PRIVATE: Final = 0o700
MOST_NAME: Final = 200  # bytes, of the 255 that file systems take


class UnsafeScratch(Exception):
    """The folder is not ours alone; says which, and what to do."""


class Scratches:
    """One a worker process; nothing is made before somebody asks."""

    def __init__(self, folder: str = "") -> None:
        self.root = Path(folder or tempfile.gettempdir()) / f"warren-scratch-{os.getuid()}"
        self._own: tuple[Path, int] | None = None  # with the descriptor that holds the lock
        self._lock = threading.Lock()

    def place(self, job_id: UUID, lease: int) -> Path:
        """Where this attempt's folder is; not made yet, but in a folder that is."""
        with self._lock:
            if self._own is None:
                _make_private(self.root)
                self._own = _make_own(self.root)
            return self._own[0] / f"{job_id}.{lease}"

    def make(self, job_id: UUID, lease: int) -> Path:
        """This attempt's folder."""
        folder = self.place(job_id, lease)
        folder.mkdir(PRIVATE, exist_ok=True)
        return folder

    def tidy(self) -> None:
        """Delete what killed processes have left, if it is anything."""
        if self.root.is_dir() and not self.root.is_symlink():
            _delete_orphans(self.root)

    def stop(self) -> None:
        """Delete all of this process."""
        with self._lock:
            own, self._own = self._own, None
        if own:
            delete(own[0])
            os.close(own[1])


def delete(folder: Path) -> None:
    """Have it gone, whatever is in it; links are deleted, not followed."""
    shutil.rmtree(folder, ignore_errors=True)


def _make_private(root: Path) -> None:
    root.mkdir(PRIVATE, parents=True, exist_ok=True)
    found = root.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise UnsafeScratch(
            f"{root} is not a folder that this user alone may write into; name another in WARREN_SCRATCH_FOLDER"
        )


def _make_own(root: Path) -> tuple[Path, int]:
    while True:
        folder = root / str(uuid4())
        folder.mkdir(PRIVATE)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():  # nobody has taken it for an orphan's before it was locked
            return folder, descriptor
        os.close(descriptor)


def _delete_orphans(root: Path) -> None:
    """What killed processes have left: nobody holds its lock."""
    for folder in root.iterdir():
        with contextlib.suppress(OSError):  # a living process's, or no folder
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                delete(folder)
            finally:
                os.close(descriptor)


def file_name(label: str) -> str:
    """A label, or the end of an address, as the name of a file: what could lead elsewhere is taken out of it."""
    plain = re.sub(r"[/\\\x00]", "_", label).lstrip(".") or "file"
    stem, ending = plain[:-16], plain[-16:]
    while len((stem + ending).encode()) > MOST_NAME:
        stem = stem[:-1]
    return stem + ending
