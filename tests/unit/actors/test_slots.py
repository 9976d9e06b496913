"""A place is taken for each job that starts, and a thread too for a sync one."""

from __future__ import annotations

import pytest

from actors.attempts.craft import Place
from actors.lane.slots import Slots


def places(slots: Slots) -> tuple[int, int, int]:
    return slots.used, slots.free_for(Place.LOOP), slots.free_for(Place.THREAD)


def test_a_sync_job_takes_a_thread_and_a_place() -> None:
    slots = Slots(concurrency=10, threads=4)
    slots.take(2, Place.LOOP)
    slots.take(3, Place.THREAD)

    assert (5, 5, 1) == places(slots)


def test_what_is_given_back_can_be_taken_again() -> None:
    slots = Slots(concurrency=10, threads=4)
    slots.take(4, Place.THREAD)
    slots.take(2, Place.LOOP)
    slots.give_back(Place.THREAD)
    slots.give_back(Place.LOOP)

    assert (4, 6, 1) == places(slots)


def test_async_jobs_may_leave_threads_without_a_place() -> None:
    slots = Slots(concurrency=10, threads=4)
    slots.take(9, Place.LOOP)

    assert (9, 1, 1) == places(slots)


def test_full_threads_do_not_keep_async_jobs_out() -> None:
    slots = Slots(concurrency=10, threads=4)
    slots.take(4, Place.THREAD)

    assert (4, 6, 0) == places(slots)


@pytest.mark.parametrize(("concurrency", "threads", "for_sync"), [(10, 4, 4), (4, 16, 4), (1, 1, 1)])
def test_there_are_no_more_threads_than_places(concurrency: int, threads: int, for_sync: int) -> None:
    assert (0, concurrency, for_sync) == places(Slots(concurrency, threads))


def test_what_is_claimed_ahead_takes_places_and_leaves_the_threads_taken() -> None:
    slots = Slots(concurrency=10, threads=4)
    slots.take(slots.free_for(Place.THREAD, ahead=3), Place.THREAD)

    assert (7, 3, 0) == places(slots)
    assert (3, 0) == (slots.free_for(Place.THREAD, ahead=20), slots.free_threads)


def test_an_isolated_job_takes_a_child_process_and_a_place_and_no_thread() -> None:
    slots = Slots(concurrency=10, threads=4, children=2)
    slots.take(1, Place.CHILD)
    one_left = slots.free_for(Place.CHILD)
    slots.take(1, Place.CHILD)

    assert (1, 0) == (one_left, slots.free_for(Place.CHILD))
    assert (2, 8, 4) == places(slots)
    slots.give_back(Place.CHILD)
    assert 1 == slots.free_for(Place.CHILD)
    assert 0 == Slots(concurrency=1, threads=1).free_for(Place.CHILD)
