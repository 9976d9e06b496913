"""What a walk has seen and done, as the job's result tells it.

Names are told as far as a result can hold them: the first of those that went and of those that could not, and how many
there were of each.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

from actors.trades.folders import spelt

MOST_NAMES: Final = 50


@dataclass(slots=True)
class Account:
    """Of one walk."""

    seen: int = 0
    files: int = 0
    folders: int = 0
    bytes: int = 0  # that the disk has back
    first: list[str] = field(default_factory=list)
    left: list[dict[str, str]] = field(default_factory=list)
    left_count: int = 0

    def went(self, path: str, found: os.stat_result) -> None:
        self.files += 1
        if found.st_nlink == 1:  # another name of the same file keeps its bytes
            self.bytes += found.st_size
        self._name(path)

    def folder_went(self, path: str) -> None:
        self.folders += 1
        self._name(f"{path}/")

    def stays(self, path: str, why: str) -> None:
        """It should have gone, or been looked into."""
        self.left_count += 1
        if len(self.left) < MOST_NAMES:
            self.left.append({"path": spelt(path), "reason": why})

    def _name(self, path: str) -> None:
        if len(self.first) < MOST_NAMES:
            self.first.append(spelt(path))
