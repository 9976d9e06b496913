"""A worker that knows the shop's types, for a Warren whose workers do not; it ends with the demo.

It writes its log into a file and is asked to drain at the end.  A demo that is killed cannot ask: its worker then goes
on until somebody ends the process that was named at the start.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.demo import watch
from deploy.demo.doors import Places
from deploy.demo.suppliers import HOST, PORT
from deploy.servers.instance import last_lines

ROOT = Path(__file__).parents[2]
MODULE = "deploy.demo.shop_jobs"
SUPPLIERS = f"{HOST}:{PORT}"
LOOK_SECONDS = 0.2
READY_SECONDS = 60.0
STOP_SECONDS = 40.0  # longer than a worker drains by default


class NoWorker(Exception):
    pass


@asynccontextmanager
async def working(places: Places, environ: Mapping[str, str]) -> AsyncIterator[str]:
    """Some worker serves the shop's types; a sentence says which."""
    if await watch.served(places):
        yield "the workers that run know the shop's types"
        return
    if not (places.amqp_url and places.database_url):
        raise NoWorker(
            "no worker serves the shop's types, and without AMQP_URL and DATABASE_URL the demo cannot start one: "
            f"source the data folder's env file, or start your workers with WARREN_ACTORS={MODULE}"
        )
    log = Path(tempfile.mkdtemp(prefix="warren-demo-")) / "worker.log"
    process = _start(_environ(places, environ), log)
    try:
        await _until_served(places, process, log)
        yield f"a worker of the demo's own serves the shop's types (pid {process.pid}, log: {log})"
    finally:
        await asyncio.to_thread(_stop, process)


def _environ(places: Places, environ: Mapping[str, str]) -> dict[str, str]:
    paths = [str(ROOT), *filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **environ,
        "WARREN_AMQP_URL": places.amqp_url or "",
        "WARREN_DATABASE_URL": places.database_url or "",
        "WARREN_ACTORS": MODULE,
        "WARREN_OUTBOUND_ALLOW": ",".join(filter(None, (environ.get("WARREN_OUTBOUND_ALLOW"), SUPPLIERS))),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
    }


def _start(environ: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "actors", "--processes", "1"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is the demo's: the worker is asked when the last job was sent
        )


async def _until_served(places: Places, process: subprocess.Popen[bytes], log: Path) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while not await watch.served(places):
            if process.poll() is not None:
                raise NoWorker(f"the demo's worker ended with {process.returncode}:\n{last_lines(log, 12)}")
            await asyncio.sleep(LOOK_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
