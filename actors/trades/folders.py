"""Folders that payloads name: below roots that settings name, opened step by step, through no symbolic link.

A path is judged by its spelling first and then by what is there.  A root may stand where everybody writes, as below
/tmp: one that is a symbolic link itself is refused too, or whoever comes first would say what it means.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from actors.ends import PermanentError

MOST_NAME: Final = 500  # characters
FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Roots:
    """Below which a field of a payload may name folders."""

    field: str
    outside: str  # what is wrong with a folder that is in none of them
    setting: str
    folders: Sequence[str]

    def place(self, path: str) -> Place:
        """Where it is, or PermanentError."""
        steps = [step for step in path.split("/") if step not in ("", ".")]
        if not path.startswith("/") or "\0" in path:
            raise PermanentError(f"{self.field}: is not a folder's absolute path")
        if ".." in steps:
            raise PermanentError(f"{self.field}: `..` is not followed; name the folder itself")
        for root in sorted(self.folders, key=len, reverse=True):
            within = [step for step in root.split("/") if step]
            if steps[: len(within)] == within:
                return Place(self.field, root.rstrip("/"), tuple(steps[len(within) :]))
        raise PermanentError(f"{self.field}: {self.outside}; {self.known}")

    def schema(self) -> dict[str, Any]:
        """The same for the doors, which answer before there is a job."""
        pattern = rf"^(?!.*/\.\.(/|$))({any_of(root.rstrip('/') for root in self.folders)})(/|$)"
        return {"allOf": [{"pattern": pattern, "x-problem": self.outside, "x-remedy": self.known}]}

    @property
    def known(self) -> str:
        return f"{self.setting} names {', '.join(self.folders) or 'none'}"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder below a root, or a root."""

    field: str
    root: str
    steps: tuple[str, ...]  # from there

    @property
    def path(self) -> str:
        return "/".join((self.root, *self.steps))

    def opened(self) -> int | None:
        """Its descriptor, which is the caller's to close; None if there is no such folder."""
        above, _, name = self.root.rpartition("/")
        try:
            folder = os.open(above or "/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            for step in (name, *self.steps):
                folder = _down(folder, step)
        except FileNotFoundError:
            return None
        except OSError as e:
            raise PermanentError(f"{self.field}: {self.path} cannot be opened: {_why(e)}") from None
        return folder


def spelt(path: str) -> str:
    """A name may be any bytes; a result is text."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return text if len(text) <= MOST_NAME else f"{text[:MOST_NAME]}…"


def any_of(texts: Iterable[str]) -> str:
    """These and no others, in a pattern that other languages read too: they do not take a stroke before every sign."""
    return "|".join(re.sub(r"[.^$*+?()\[\]{}|\\]", r"\\\g<0>", text) for text in texts) or "(?!)"


def _down(folder: int, step: str) -> int:
    """The folder below, in the place of this one."""
    try:
        return os.open(step, FOLDER, dir_fd=folder)
    finally:
        os.close(folder)


def _why(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "a part of it is a symbolic link or no folder"
    return os.strerror(error.errno or 0)
