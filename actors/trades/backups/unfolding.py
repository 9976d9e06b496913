"""Put a tar back into a folder, entry by entry, and nothing beside it.

Each file is made in a folder that was opened step by step below the one that was named, through no symbolic link, so
neither an entry's name nor a link that an earlier entry has made leads elsewhere.  Who may read a file is restored,
whose it is only for who asks for that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import threading
from typing import IO, Final

from actors.trades.folders import FOLDER
from wire.errors import Refused

BLOCK: Final = 256 * 1024
MODE: Final = 0o777  # not whose rights it runs with


class Unfolding:
    """A sink; a thread reads the tar that is written to it."""

    def __init__(self, folder: str, *, force: bool, owners: bool) -> None:
        self._force, self._owners = force, owners
        self._error: Exception | None = None
        self._later: list[tuple[str, tarfile.TarInfo]] = []
        reading, writing = os.pipe()
        self._pipe: IO[bytes] = os.fdopen(writing, "wb", buffering=BLOCK)
        root = os.open(folder, FOLDER & ~os.O_NOFOLLOW)
        self._thread = threading.Thread(target=self._take, args=(root, reading), name="tar", daemon=True)
        self._thread.start()

    def write(self, piece: bytes) -> int:
        return self._pipe.write(piece)

    def finish(self) -> None:
        """All has been written: return when all of it lies there, or raise what came in between."""
        with contextlib.suppress(BrokenPipeError):
            self._pipe.close()
        self._thread.join()
        if self._error:
            raise self._error

    def _take(self, root: int, reading: int) -> None:
        try:
            with os.fdopen(reading, "rb", buffering=BLOCK) as pipe:
                with tarfile.open(fileobj=pipe, mode="r|") as tar:
                    for entry in tar:
                        self._put(tar, entry, root)
                while pipe.read(BLOCK):  # what fills its last block
                    continue
                for _, entry in reversed(self._later):  # a folder's time is that of what was put into it last
                    self._settle_folder(entry, root)
        except (OSError, tarfile.TarError, Refused) as e:
            self._error = e
        finally:
            os.close(root)

    def _put(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, root: int) -> None:
        *above, name = _steps(entry.name)
        folder = _opened(root, above)
        try:
            if entry.isdir():
                self._folder(entry, name, folder)
            elif entry.issym():
                self._make_way(name, folder)
                os.symlink(entry.linkname, name, dir_fd=folder)
            elif entry.isreg():
                self._make_way(name, folder)
                self._file(tar, entry, name, folder)
            else:
                raise Refused("backup", f"{entry.name!r} is neither a file nor a folder")
        finally:
            os.close(folder)

    def _folder(self, entry: tarfile.TarInfo, name: str, folder: int) -> None:
        try:
            os.mkdir(name, 0o700, dir_fd=folder)
        except FileExistsError:
            os.close(_opened(folder, [name]))  # a link is none
        self._later.append((name, entry))

    def _file(self, tar: tarfile.TarFile, entry: tarfile.TarInfo, name: str, folder: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        content = tar.extractfile(entry)
        assert content is not None
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
            shutil.copyfileobj(content, file, BLOCK)
            file.flush()
            self._settle(entry, file.fileno())

    def _make_way(self, name: str, folder: int) -> None:
        if self._force:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)

    def _settle_folder(self, entry: tarfile.TarInfo, root: int) -> None:
        folder = _opened(root, _steps(entry.name))
        try:
            self._settle(entry, folder)
        finally:
            os.close(folder)

    def _settle(self, entry: tarfile.TarInfo, descriptor: int) -> None:
        if self._owners:
            os.fchown(descriptor, entry.uid, entry.gid)
        os.fchmod(descriptor, entry.mode if self._owners else entry.mode & MODE)
        os.utime(descriptor, (entry.mtime, entry.mtime))


def _steps(name: str) -> list[str]:
    steps = name.split("/")
    if not all(steps) or {".", ".."} & set(steps) or "\0" in name:
        raise Refused("backup", f"{name[:100]!r} is no name of a file in a backup")
    return steps


def _opened(root: int, steps: list[str]) -> int:
    folder = os.dup(root)
    for step in steps:
        try:
            below = os.open(step, FOLDER, dir_fd=folder)
        finally:
            os.close(folder)
        folder = below
    return folder
