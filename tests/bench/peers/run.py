"""Run one contestant's turn on a ground of its own: preload and drain, or a pace and how soon each job began."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from actors.process.child import die_with_parent
from tests.bench.backlog import ACTORS, preload
from tests.bench.computed import computed_by
from tests.bench.drain import drain
from tests.bench.drained import Drained, watch
from tests.bench.peers import work
from tests.bench.peers.contestants import Peer
from tests.bench.peers.publish import WARM_JOBS
from tests.bench.stage import Ground, Servers
from tests.eventually import eventually
from tests.journey.stack import ROOT, SECONDS_TO_STOP, Stack, running_stack

PUBLISH = "tests.bench.peers.publish"
PER_SECOND = 20


class Contestant(Protocol):
    """Whoever drains, and whose jobs begin."""

    @property
    def name(self) -> str: ...
    def drained(self, servers: Servers, jobs: int) -> Drained: ...
    def starts(self, servers: Servers, jobs: int) -> list[float]: ...


class Warren:
    """All its processes, as `deploy/up` starts them."""

    name = "Warren"

    def drained(self, servers: Servers, jobs: int) -> Drained:
        with servers.ground() as ground, self._stack(ground) as stack:
            stack.stop("actors")  # they have registered their types
            asyncio.run(preload(stack, "noop", jobs, work.encoded(work.payload())))
            return drain(stack, jobs)

    def starts(self, servers: Servers, jobs: int) -> list[float]:
        with servers.ground() as ground:
            notes = _notes(ground)
            with self._stack(ground, **{work.STARTS: str(notes)}) as stack:
                return _paced(ground, "tests.bench.peers.warren", notes, jobs, WARREN_URL=stack.url)

    @contextlib.contextmanager
    def _stack(self, ground: Ground, **settings: str) -> Iterator[Stack]:
        with running_stack(
            ground.amqp_url, ground.database_url, ground.folder, WARREN_ACTORS=ACTORS, **settings
        ) as stack:
            yield stack


class Other:
    """A peer, or the bare loop."""

    def __init__(self, peer: Peer) -> None:
        self.peer, self.name = peer, peer.name

    def drained(self, servers: Servers, jobs: int) -> Drained:
        with servers.ground() as ground:
            _publish(ground, self.peer.module, "preload", jobs)
            with self._workers(ground) as pids:
                return watch(
                    ground.database_url,
                    self.peer.outcomes,
                    jobs,
                    lambda: computed_by({"workers": pids}, servers.home),
                )

    def starts(self, servers: Servers, jobs: int) -> list[float]:
        with servers.ground() as ground:
            notes = _notes(ground)
            _publish(ground, self.peer.module, "preload", 0)
            with self._workers(ground, **{work.STARTS: str(notes)}):
                return _paced(ground, self.peer.module, notes, jobs)

    @contextlib.contextmanager
    def _workers(self, ground: Ground, **more: str) -> Iterator[list[int]]:
        """Its processes; a table that only they would make is made by their preload."""
        with (ground.folder / "workers.log").open("ab") as log:
            running = [
                subprocess.Popen(
                    [sys.executable, "-m", *words],
                    cwd=ROOT,
                    env=_environment(ground, **more),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    preexec_fn=die_with_parent,  # noqa: PLW1509 - a run that is killed leaves none behind
                )
                for words in self.peer.workers
            ]
        try:
            yield [process.pid for process in running]
        except BaseException:
            print((ground.folder / "workers.log").read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            for process in running:
                process.terminate()
            for process in running:
                _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment(ground: Ground, **more: str) -> dict[str, str]:
    """Nothing of the shell's but what a process needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    ours = {"AMQP_URL": ground.amqp_url, "DATABASE_URL": ground.database_url, "PYTHONPATH": str(ROOT)}
    return kept | ours | more


def _publish(ground: Ground, module: str, verb: str, *numbers: float, **more: str) -> None:
    words = [sys.executable, "-m", PUBLISH, module, verb, *(f"{number:g}" for number in numbers)]
    subprocess.run(words, cwd=ROOT, env=_environment(ground, **more), check=True)


def _notes(ground: Ground) -> Path:
    notes = ground.folder / "starts"
    notes.touch()
    return notes


def _paced(ground: Ground, module: str, notes: Path, jobs: int, **more: str) -> list[float]:
    """The seconds from send to start, sorted; some before have told that the workers are there."""
    _publish(ground, module, "pace", 0, PER_SECOND, **more)
    _noted(notes, WARM_JOBS)
    _publish(ground, module, "pace", jobs, PER_SECOND, **more)
    return sorted(_noted(notes, 2 * WARM_JOBS + jobs)[2 * WARM_JOBS :])


def _noted(notes: Path, jobs: int) -> list[float]:
    """What so many jobs have noted."""

    def all_of_them() -> list[str] | None:
        lines = notes.read_text().splitlines()
        return lines if len(lines) >= jobs else None

    return [float(line) for line in asyncio.run(eventually(all_of_them, within=60)) or []]
