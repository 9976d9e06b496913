"""`python -m tests.site --log FILE [--hosts 40] [--port 0] [--latency-ms 0]`: serve until the parent ends.

The first line on standard output is the port.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

import uvloop

from actors.process.child import die_with_parent
from tests.site import documents, hostile, robots
from tests.site.server import Server

TRIES = 20  # for a port that is free at every address


async def serve(log: Path, hosts: int, port: int, latency: float) -> None:
    addresses = [f"127.0.0.{number}" for number in range(2, 2 + hosts)]
    handlers = documents.HANDLERS | robots.HANDLERS | hostile.HANDLERS
    for _ in range(TRIES):
        server = Server(handlers, log, latency)
        try:
            print(await server.start(addresses, port), flush=True)
            break
        except OSError:
            await server.stop()
    else:
        raise SystemExit("no port is free at all addresses")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop()


def main() -> None:
    die_with_parent()
    parser = argparse.ArgumentParser(prog="python -m tests.site", description=__doc__)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--hosts", type=int, default=60)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0)
    given = parser.parse_args()
    uvloop.run(serve(given.log, given.hosts, given.port, given.latency_ms / 1000))


if __name__ == "__main__":
    main()
