"""The outbox folder: where mail lies, a file each, while no server is named.

A mail of a job has one file whatever happens: written aside, then moved there in one step, so nobody reads half of it,
and the attempt that repeats it puts the same file in its place.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from actors.trades.mailing.failures import ServerAway


def put(folder: Path, name: str, content: bytes) -> Path:
    """The file's path, once it is on the disk; ServerAway if the folder takes nothing."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder.absolute() / f"{name}.eml"
        _write(path, content)
    except OSError as e:
        raise ServerAway(
            f"the outbox folder {folder} takes no mail ({e.strerror or e}); WARREN_MAIL_OUTBOX names another, "
            "and WARREN_SMTP_URL a mail server"
        ) from e
    return path


def _write(path: Path, content: bytes) -> None:
    number, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(aside).unlink()
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Its name survives a power cut too."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
