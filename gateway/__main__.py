"""The gateway process: settings → build → run."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from gateway.app import Room
from wire import logs
from wire.errors import SettingsError
from wire.lifecycle import run_until_stopped
from wire.settings import Settings, load


def main() -> int:
    try:
        settings = load()
        logs.configure("gateway", settings.logs.log_level, settings.logs.log_format)
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
