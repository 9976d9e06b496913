"""The supervisor over real processes that are nobody's: it restarts, reports, gives up, drains."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from deploy.machine.processes import Process, read_record
from deploy.running.supervise import Child, KeepsDying, Role, Supervisor
from tests.eventually import eventually

DRAINS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("drained", flush=True)))
print("up", flush=True)
while True: time.sleep(60)
"""
DEAF = DRAINS.replace('lambda *_: sys.exit(print("drained", flush=True))', "signal.SIG_IGN")


class Story:
    """What the supervisor said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, name: str, text: str) -> None:
        self.lines.append(f"{name} {text}")


def child(folder: Path, name: str, script: str, stop_seconds: float = 10) -> Child:
    role = Role(name, [sys.executable, "-c", script], stop_seconds)
    return Child(role, dict(os.environ), folder / f"{name}.log", folder / f"{name}.json")


async def started(children: list[Child]) -> None:
    for one in children:
        await eventually(lambda one=one: "up" in one.log.read_text())  # type: ignore[misc]


async def test_a_process_that_dies_is_started_again_and_it_is_said(tmp_path: Path) -> None:
    story, only = Story(), child(tmp_path, "gateway", DRAINS)
    supervisor = Supervisor([], [only], story)
    supervisor.start()
    await started([only])
    first = read_record(tmp_path / "gateway.json")
    assert first is not None
    first.send(signal.SIGKILL)
    first.wait(60)

    def back() -> bool:
        supervisor.tick()
        return read_record(tmp_path / "gateway.json") not in (None, first)

    await eventually(back)
    supervisor.drain(lambda: False)

    assert story.lines[0].startswith("gateway was killed by SIGKILL; starting again in 0.5 s")


async def test_they_drain_in_the_reverse_order_of_their_start(tmp_path: Path) -> None:
    story = Story()
    children = [child(tmp_path, name, DRAINS) for name in ("first", "second")]
    supervisor = Supervisor([], children, story)
    supervisor.start()
    await started(children)
    supervisor.drain(lambda: False)

    assert story.lines == ["second draining", "first draining"]
    assert all("drained" in one.log.read_text() for one in children)
    assert [read_record(tmp_path / f"{name}.json") for name in ("first", "second")] == [None, None]


@pytest.mark.parametrize(("hurry", "stop_seconds"), [(True, 60.0), (False, 0.2)])
async def test_a_deaf_process_is_killed_in_the_end(tmp_path: Path, hurry: bool, stop_seconds: float) -> None:
    only = child(tmp_path, "workers", DEAF, stop_seconds)
    supervisor = Supervisor([], [only], Story())
    supervisor.start()
    await started([only])
    process = read_record(tmp_path / "workers.json")
    supervisor.drain(lambda: hurry)

    assert process is not None
    assert process.wait(60)


async def test_a_process_that_cannot_start_ends_the_attempt_with_its_last_words(tmp_path: Path) -> None:
    only = child(tmp_path, "recorder", "raise SystemExit('DATABASE_URL is missing')")
    supervisor = Supervisor([], [only], Story())
    supervisor.start()

    def gives_up() -> str:
        only.due = 0  # the pauses are a formula, tested as one
        try:
            supervisor.tick(coming_up=True)
        except KeepsDying as reason:
            return str(reason)
        return ""

    said = await eventually(gives_up)

    assert "recorder ended with 1, for the 5th time" in said
    assert "DATABASE_URL is missing" in said


def test_a_number_that_was_given_to_another_process_is_not_signalled() -> None:
    impostor = Process(os.getpid(), "another time")

    assert not impostor.alive()
    assert not impostor.send(signal.SIGKILL)
