"""A folder as a source: a tar of what is in it, as it is read.

Files, folders and symbolic links, with their times and modes; what a link leads to is not followed, and other file
systems, sockets and devices are left out.  A file that is written meanwhile is kept as long as it was when it was
opened: one that has become shorter is filled up with zeros, and told.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from actors.ends import PermanentError
from actors.trades.folders import FOLDER, Place

DEEPEST: Final = 100  # folders below each other, of which each is held open
BLOCK: Final = 256 * 1024


class FolderFailed(Exception):
    """It could not be read; another attempt may fare better."""


class Folder:
    """Begun when it is made: a thread writes the tar into a pipe."""

    extension = "tar"

    def __init__(self, where: Place) -> None:
        folder = where.opened()
        if folder is None:
            raise PermanentError(f"{where.field}: there is no folder {where.path}")
        self.left = list[str]()
        self._error: BaseException | None = None
        reading, writing = os.pipe()
        self._reading: IO[bytes] = os.fdopen(reading, "rb", buffering=BLOCK)
        self._thread = threading.Thread(target=self._write, args=(folder, writing), name="tar", daemon=True)
        self._thread.start()

    def read(self, size: int = -1) -> bytes:
        return self._reading.read(size)

    def finish(self) -> None:
        self._thread.join()
        if self._error:
            raise FolderFailed(f"the folder could not be read: {self._error}")

    def stop(self) -> None:
        """The thread fails at its next write when nobody reads; see close."""

    def close(self) -> None:
        self._reading.close()
        self._thread.join()

    def _write(self, folder: int, writing: int) -> None:
        try:
            with (
                os.fdopen(writing, "wb", buffering=BLOCK) as pipe,
                tarfile.open(fileobj=pipe, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                self._through(tar, _Level(folder, "", os.fstat(folder).st_dev, 0))
        except (OSError, tarfile.TarError) as e:
            self._error = e
        finally:
            os.close(folder)

    def _through(self, tar: tarfile.TarFile, level: _Level) -> None:
        for name in sorted(_names(level.folder)):
            try:
                self._one(tar, level, name)
            except FileNotFoundError:
                continue  # it has gone meanwhile
            except PermissionError:
                self.left.append(f"{level.path}{name}")

    def _one(self, tar: tarfile.TarFile, level: _Level, name: str) -> None:
        found = os.stat(name, dir_fd=level.folder, follow_symlinks=False)
        entry = _entry(f"{level.path}{name}", found)
        if stat.S_ISLNK(found.st_mode):
            entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=level.folder)
            tar.addfile(entry)
        elif stat.S_ISREG(found.st_mode):
            self._file(tar, level, name, entry)
        elif stat.S_ISDIR(found.st_mode):
            self._folder(tar, level, name, entry)

    def _folder(self, tar: tarfile.TarFile, level: _Level, name: str, entry: tarfile.TarInfo) -> None:
        below = os.open(name, FOLDER, dir_fd=level.folder)
        try:
            if os.fstat(below).st_dev != level.device or level.depth >= DEEPEST:
                self.left.append(f"{entry.name}/")
                return
            entry.type = tarfile.DIRTYPE
            tar.addfile(entry)
            self._through(tar, _Level(below, f"{entry.name}/", level.device, level.depth + 1))
        finally:
            os.close(below)

    def _file(self, tar: tarfile.TarFile, level: _Level, name: str, entry: tarfile.TarInfo) -> None:
        number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=level.folder)
        with os.fdopen(number, "rb") as file:
            found = os.fstat(number)
            if not stat.S_ISREG(found.st_mode):
                return  # replaced meanwhile
            entry.size = found.st_size
            filled: Any = Filled(file, self.left, entry.name)
            tar.addfile(entry, filled)


@dataclass(frozen=True, slots=True)
class _Level:
    """A folder that is being read."""

    folder: int
    path: str  # from the source on, with a slash at its end
    device: int
    depth: int


class Filled:
    """A file that does not end before its time."""

    def __init__(self, file: IO[bytes], left: list[str], name: str) -> None:
        self._file, self._left, self._name = file, left, name

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        if len(piece) < size:  # the tar has said how long it is
            self._left.append(self._name)
            piece += bytes(size - len(piece))
        return piece


def _entry(path: str, found: os.stat_result) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.mode, entry.mtime = stat.S_IMODE(found.st_mode), found.st_mtime
    entry.uid, entry.gid = found.st_uid, found.st_gid
    return entry


def _names(folder: int) -> Iterator[str]:
    with contextlib.closing(os.scandir(folder)) as entries:
        yield from (entry.name for entry in entries)
