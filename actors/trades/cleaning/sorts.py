"""What goes: which names, and since when nobody has touched them.

    temp_files     every file that was not written since; folders that are empty then
    cache          every file that was neither written nor read since; folders that are empty then
    logs           files that are named like logs and were not written since; no folders, for who logs wants them
    empty_folders  folders in which there is nothing, and was not since

Only files, symbolic links (never what they lead to) and folders: a socket or a device is somebody's door, however old.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["temp_files", "cache", "logs", "empty_folders"]
# app.log, app.log.3, app.log.2.gz, app.log-20260131, app-2026-01-31.log, app.out, app.err
LOG: Final = re.compile(r".+\.(log|out|err)([.-]?[0-9][0-9T:_.-]*|\.old|\.[0-9]+)?(\.(gz|bz2|xz|zst|lz4|Z))?")


@dataclass(frozen=True, slots=True)
class Sort:
    """Judges one name in a folder."""

    kind: Kind
    before: float  # seconds of the epoch
    patterns: tuple[re.Pattern[str], ...] = ()  # of which a file's name has to fit one

    @property
    def takes_folders(self) -> bool:
        return self.kind == "empty_folders" or (self.kind != "logs" and not self.patterns)

    def file_goes(self, name: str, found: os.stat_result) -> bool:
        if self.kind == "empty_folders" or not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            return False
        if self.patterns and not any(pattern.fullmatch(name) for pattern in self.patterns):
            return False
        if self.kind == "logs" and not self.patterns and not LOG.fullmatch(name):
            return False
        return self._touched(found) < self.before

    def folder_goes(self, found: os.stat_result) -> bool:
        """Once there is nothing in it; judged by what it was before the walk came."""
        return self.takes_folders and found.st_mtime < self.before

    def _touched(self, found: os.stat_result) -> float:
        return max(found.st_mtime, found.st_atime) if self.kind == "cache" else found.st_mtime


def patterns(wanted: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    """As a shell means them."""
    return tuple(re.compile(fnmatch.translate(pattern)) for pattern in wanted)
