"""`--watch`: restart the workers when a Python file changes, for development.

It looks at the times of the files every half second, which is cheap for a project and needs no library.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 0.5
SKIP: Final = {".venv", ".git", ".warren", "node_modules", "__pycache__"}


async def watch(folder: Path, changed: asyncio.Event) -> None:
    """Set `changed` whenever a file below the folder is new, gone or different."""
    before = await asyncio.to_thread(_snapshot, folder)
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = await asyncio.to_thread(_snapshot, folder)
        if now != before:
            before = now
            changed.set()


def _snapshot(folder: Path) -> dict[Path, int]:
    times = {}
    for path in folder.rglob("*.py"):
        if not SKIP.intersection(path.parts):
            try:
                times[path] = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue  # gone between the listing and the look
    return times
