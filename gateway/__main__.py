"""The gateway process: settings → build → run."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import Final

import uvloop

from gateway.app import Room
from wire import logs
from wire.errors import SettingsError
from wire.lifecycle import run_until_stopped
from wire.settings import Settings, load

GARBAGE_AFTER: Final = 20_000  # a bulk makes so many objects that live; to look for garbage each 700 took a sixth of it


def main() -> int:
    try:
        settings = load()
        logs.configure("gateway", settings.logs.log_level, settings.logs.log_format)
        gc.set_threshold(GARBAGE_AFTER, 20, 100)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except SettingsError as e:
        sys.stderr.write("".join(f"{fault}\n" for fault in e.faults))
        return 2
    return 0


async def serve(settings: Settings) -> None:
    await run_until_stopped(Room(settings).services)


if __name__ == "__main__":
    sys.exit(main())
