"""`python -m actors`: a group of worker processes, and the supervisor that keeps them."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from actors.process.reload import watch
from actors.process.supervise import supervise
from wire import logs
from wire.errors import SettingsError
from wire.lifecycle import stop_signal
from wire.settings import Settings, load


async def run(settings: Settings, *, reload: bool) -> int:
    stopped, changed = stop_signal(), asyncio.Event()
    watcher = asyncio.create_task(watch(Path.cwd(), changed)) if reload else None
    code = await supervise(settings, stopped, changed if reload else None)
    if watcher:
        watcher.cancel()
    return code


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m actors", description="Do jobs.")
    parser.add_argument("--processes", help="worker processes (WARREN_PROCESSES)")
    parser.add_argument("--concurrency", help="jobs a process runs at once (WARREN_CONCURRENCY)")
    parser.add_argument("--queues", help="queues to serve, separated by commas (WARREN_QUEUES)")
    parser.add_argument("--watch", action="store_true", help="restart when a file changes")
    given = parser.parse_args()
    for name in ("processes", "concurrency", "queues"):
        if (value := getattr(given, name)) is not None:
            os.environ[f"WARREN_{name.upper()}"] = value
    try:
        settings = load()
    except SettingsError as e:
        print(*e.faults, sep="\n", file=sys.stderr)  # noqa: T201 - for the person who started it
        return 2
    logs.configure("workers", settings.logs.log_level, settings.logs.log_format)
    return asyncio.run(run(settings, reload=given.watch))


if __name__ == "__main__":
    sys.exit(main())
