"""The judge of the faults can tell: a job that was lost, ran twice, ran early, or stood still is seen as that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.witness import Witness, in_flight, worker_pid


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "timeline"
    path.write_text("1.0 7 an-older-job started\n")
    return path


def seen(path: Path, *lines: str) -> Witness:
    """A witness that was there before these lines were written."""
    witness = Witness(path)
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    return witness.look()


def test_what_was_written_before_is_not_its_concern(path: Path) -> None:
    assert ["a"] == list(seen(path, "2.0 7 a started").starts())


def test_half_a_line_waits_for_its_other_half(path: Path) -> None:
    witness = seen(path, "2.0 7 a started")
    with path.open("a") as file:
        file.write("3.0 7 a en")
        file.flush()
        half = witness.look().ended()
        file.write("ded\n")

    assert (set(), {"a"}) == (half, witness.look().ended())


def test_a_job_that_was_started_twice_ran_twice(path: Path) -> None:
    witness = seen(path, "2.0 7 a started", "2.1 7 b started", "2.2 7 a ended", "3.0 8 b started", "3.1 8 b ended")

    assert {"b"} == witness.ran_twice()
    assert {"a", "b"} == witness.ended()


def test_in_flight_is_what_a_killed_process_had_begun_and_not_committed(path: Path) -> None:
    witness = seen(path, "2.0 7 a started", "2.0 7 b started", "2.0 8 c started", "2.2 7 a ended", "2.2 7 b ended")

    assert {"b"} == in_flight(witness, [7], {("a", 7)})
    assert ({"a", "b"}, set(), {"c"}) == (witness.begun_by(7), witness.asleep_in(7), witness.asleep_in(8))


def test_a_stall_lasts_until_the_next_start(path: Path) -> None:
    witness = seen(path, "2.0 7 a started", "2.1 7 a ended", "5.5 8 b started")

    assert 3.0 == witness.stall_after(2.5)
    assert float("inf") == witness.stall_after(6.0)


def test_a_start_before_the_due_time_is_early(path: Path) -> None:
    witness = seen(path, "2.0 7 a started", "2.0 7 b started")

    assert {"a"} == witness.early({"a": 2.001, "b": 2.0})


def test_the_process_is_the_last_part_of_a_workers_name() -> None:
    assert 42 == worker_pid("a:host:42")
