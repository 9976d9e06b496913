"""A health check is told what stands still, what does not do its work, and what is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.eventually import eventually
from wire import alive
from wire.alive import OLD_SECONDS, PATIENCE_SECONDS, Alive, Sign, first_of, unless, wrong

ROOT = Path(__file__).parents[3]


def aged(folder: Path, seconds: float) -> None:
    """As if its loop had stood still for so long."""
    (sign,) = folder.iterdir()
    then = time.time() - seconds
    os.utime(sign, (then, then))


async def test_a_loop_that_turns_is_well_and_says_when_it_ends(tmp_path: Path) -> None:
    one = Alive(str(tmp_path / "made"), "recorder", lambda: None)
    await one.start()
    await eventually(lambda: wrong(tmp_path / "made", "recorder") is None)
    await one.stop()
    await one.stop()

    assert "no recorder lives" == wrong(tmp_path / "made", "recorder")


def test_a_loop_that_stands_still_is_not_well(tmp_path: Path) -> None:
    Sign(str(tmp_path), "worker").write(None)
    aged(tmp_path, OLD_SECONDS + 1)

    assert f"worker-{os.getpid()} has stood still for 21 s" == wrong(tmp_path, "worker")


def test_what_turns_and_does_not_do_its_work_says_so(tmp_path: Path) -> None:
    Sign(str(tmp_path), "worker").write("does not consume")

    assert f"worker-{os.getpid()} does not consume" == wrong(tmp_path, "worker")
    assert "no scheduler lives" == wrong(tmp_path, "scheduler")


def test_one_that_was_killed_is_gone_and_the_others_speak_for_the_role(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f"worker-{gone.pid}").write_text("does not consume")
    alone = wrong(tmp_path, "worker")
    Sign(str(tmp_path), "worker").write(None)

    assert ("no worker lives", None) == (alone, wrong(tmp_path, "worker"))


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Sign("", "worker").write(None)

    assert [] == list(tmp_path.iterdir())


def test_patience_is_measured_from_when_it_was_last_well(monkeypatch: pytest.MonkeyPatch) -> None:
    now, well = 100.0, True
    monkeypatch.setattr(alive.time, "monotonic", lambda: now)
    trouble = first_of([lambda: None, unless(lambda: well, lambda: "deaf")])
    now, well = now + 2 * PATIENCE_SECONDS, True
    first = trouble()
    now, well = now + PATIENCE_SECONDS - 1, False
    second = trouble()
    now += 2

    assert (None, None, "deaf") == (first, second, trouble())


@pytest.mark.parametrize(("trouble", "code", "told"), [(None, 0, "all is well\n"), ("is deaf", 1, " is deaf\n")])
def test_the_command_is_what_a_container_asks(tmp_path: Path, trouble: str | None, code: int, told: str) -> None:
    """Without the libraries of a process: it is asked every few seconds."""
    Sign(str(tmp_path), "scheduler").write(trouble)
    asked = subprocess.run(
        [sys.executable, "-S", "-m", "wire.alive", tmp_path, "scheduler"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip

    assert (code, "") == (asked.returncode, asked.stderr)
    assert asked.stdout.endswith(told)
