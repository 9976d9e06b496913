"""The words for where a job stands: every state is waiting, running or final, and every word a reader may ask for."""

from __future__ import annotations

from persistence.waits import WAITING as WAITING_IN_SQL
from wire.states import FILTERS, FINAL, WAITING, Reason, State


def test_a_job_waits_or_runs_or_has_ended() -> None:
    assert set(State) == WAITING | {State.RUNNING} | FINAL
    assert not WAITING & FINAL


def test_the_words_are_those_of_the_documents() -> None:
    assert "scheduled queued running retrying completed failed cancelled expired" == " ".join(State)
    assert "permanent exhausted timeout poison malformed unroutable unstorable_result" == " ".join(Reason)


def test_a_reader_may_ask_for_every_state_and_for_two_words_more() -> None:
    assert {*State, "pending", "dead_letter"} == set(FILTERS)
    assert (WAITING, frozenset({State.FAILED})) == (FILTERS["pending"], FILTERS["dead_letter"])


def test_the_tables_know_the_same_states_as_waiting() -> None:
    assert all(f"'{state}'" in WAITING_IN_SQL for state in WAITING)
    assert len(WAITING) == WAITING_IN_SQL.count("'") / 2
