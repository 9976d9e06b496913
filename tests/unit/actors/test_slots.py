"""A place is taken for each job that starts, and a thread too for a sync one."""

from __future__ import annotations

import pytest

from actors.slots import Slots


def places(slots: Slots) -> tuple[int, int, int]:
    return slots.used, slots.free_for(thread=False), slots.free_for(thread=True)


def test_a_sync_job_takes_a_thread_and_a_place() -> None:
    slots = Slots(concurrency=10, threads=4)
    slots.take(2, thread=False)
    slots.take(3, thread=True)

    assert (5, 5, 1) == places(slots)


def test_what_is_given_back_can_be_taken_again() -> None:
    slots = Slots(concurrency=10, threads=4)
    slots.take(4, thread=True)
    slots.take(2, thread=False)
    slots.give_back(thread=True)
    slots.give_back(thread=False)

    assert (4, 6, 1) == places(slots)


def test_async_jobs_may_leave_threads_without_a_place() -> None:
    slots = Slots(concurrency=10, threads=4)
    slots.take(9, thread=False)

    assert (9, 1, 1) == places(slots)


def test_full_threads_do_not_keep_async_jobs_out() -> None:
    slots = Slots(concurrency=10, threads=4)
    slots.take(4, thread=True)

    assert (4, 6, 0) == places(slots)


@pytest.mark.parametrize(("concurrency", "threads", "for_sync"), [(10, 4, 4), (4, 16, 4), (1, 1, 1)])
def test_there_are_no_more_threads_than_places(concurrency: int, threads: int, for_sync: int) -> None:
    assert (0, concurrency, for_sync) == places(Slots(concurrency, threads))
