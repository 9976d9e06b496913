"""The ledger of the proof, by the lines of the witness: what is lost, and what ran twice and why."""

from __future__ import annotations

import pytest

from deploy.proof.ledger import Kill, Ledger, Outage, Recorded, Twice, ledger
from deploy.proof.witness import parse

WORKER, OTHER = 100, 200


def read(*lines: str) -> list:
    return [parse(line) for line in lines]


def kept(*lines: str, accepted: dict[str, float] | None = None, **words) -> Ledger:
    """The ledger of these lines; all jobs in them were accepted at 0 unless it is said otherwise."""
    events = read(*lines)
    return ledger({event.job: 0.0 for event in events} if accepted is None else accepted, events, **words)


def test_a_job_that_began_and_ended_once_leaves_nothing_to_say() -> None:
    book = kept("+ a 100 1.0", "- a 100 1.1", recorded=Recorded(completed=1, twice=0, unfinished=0))

    assert (1, 1, (), Twice(0, 0, 0), []) == (book.accepted, book.completed, book.lost, book.twice, book.faults)


@pytest.mark.parametrize("lines", [(), ("+ b 100 1.0",)])
def test_a_job_that_was_accepted_and_never_ended_is_lost(lines: tuple[str, ...]) -> None:
    """
    Whether or not it had begun.
    """
    book = kept("+ a 100 1.0", "- a 100 1.1", *lines, accepted={"a": 0.0, "b": 0.5})

    assert (("b",), 1, ["1 lost"]) == (book.lost, book.completed, book.faults)


def test_of_the_lost_it_is_said_which_had_waited_in_a_purged_queue() -> None:
    book = kept("+ a 100 1.0", "- a 100 1.1", accepted={"a": 0.0, "b": 0.5, "c": 0.5}, purged={"a", "b"})

    assert (("b", "c"), 1) == (book.lost, book.lost_in_purge)


def test_a_job_that_nobody_accepted_and_that_ran_is_a_fault() -> None:
    book = kept("+ a 100 1.0", "- a 100 1.1", accepted={})

    assert ["1 ran that nobody had accepted"] == book.faults


def test_a_job_that_was_cut_off_by_a_kill_may_run_again() -> None:
    book = kept("+ a 100 1.0", "+ b 100 1.0", "+ a 200 2.0", "- a 200 2.1", "+ b 200 2.0", "- b 200 2.1",
                kills=[Kill(WORKER, 1.5)])  # fmt: skip

    assert (Twice(cut_off=2, unrecorded=0, otherwise=0), 2, []) == (book.twice, book.running_at_kills, book.faults)


def test_a_job_that_had_just_ended_when_its_worker_was_killed_may_run_again() -> None:
    book = kept("+ a 100 1.0", "- a 100 1.1", "+ a 200 2.0", "- a 200 2.1", kills=[Kill(WORKER, 1.5)])

    assert (Twice(cut_off=0, unrecorded=1, otherwise=0), 0, []) == (book.twice, book.running_at_kills, book.faults)


def test_an_outcome_waits_as_long_as_the_store_is_away() -> None:
    lines = ("+ a 100 1.0", "- a 100 1.1", "+ a 200 22.0", "- a 200 22.1")
    waited = kept(*lines, kills=[Kill(WORKER, 20.0)], outages=[Outage(1.0, 19.5)])
    recorded = kept(*lines, kills=[Kill(WORKER, 20.0)])

    assert (Twice(0, 1, 0), []) == (waited.twice, waited.faults)
    assert (Twice(0, 0, 1), ["1 ran twice without a kill"]) == (recorded.twice, recorded.faults)


@pytest.mark.parametrize("kills", [[], [Kill(OTHER, 1.5)], [Kill(WORKER, 0.5)]])
def test_a_job_that_ran_twice_without_a_kill_is_a_fault(kills: list[Kill]) -> None:
    """
    A kill of another process, or one before it began, is no excuse.
    """
    book = kept("+ a 100 1.0", "- a 100 1.1", "+ a 200 2.0", "- a 200 2.1", kills=kills)

    assert (1, ["1 ran twice without a kill"]) == (book.twice.otherwise, book.faults)


def test_what_was_recorded_twice_failed_or_not_at_all_is_a_fault() -> None:
    lines = ("+ a 100 1.0", "- a 100 1.1", "+ b 100 1.0", "- b 100 1.1")
    doubled = kept(*lines, recorded=Recorded(completed=2, twice=1, unfinished=0))
    blamed = kept(*lines, recorded=Recorded(completed=1, twice=0, unfinished=0, blamed={"failed poison": 1}))
    silent = kept(*lines, recorded=Recorded(completed=1, twice=0, unfinished=1))

    assert ["1 recorded twice"] == doubled.faults
    assert ["1 recorded as failed", "1 recorded as completed"] == blamed.faults
    assert ["1 recorded as completed"] == silent.faults


def test_a_job_that_was_asked_for_and_never_accepted_is_a_fault() -> None:
    book = kept("+ a 100 1.0", "- a 100 1.1", asked=2)

    assert ["1 were never accepted"] == book.faults
