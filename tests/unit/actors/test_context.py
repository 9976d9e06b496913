"""A running job can ask what it is and say how far it is; nobody else can."""

from __future__ import annotations

import asyncio
import contextvars
import math
from uuid import UUID

import pytest

import warren
from actors.context import Context, context, current, progress
from persistence.accepting.submission import Submission
from wire.tracing import Trace


def a_context(number: int = 1) -> Context:
    return Context(UUID(int=number), "echo", "default", attempt=1, max_retries=3, priority=5, trace=Trace.begin())


def test_outside_of_a_job_there_is_none() -> None:
    with pytest.raises(RuntimeError, match="there is no job here"):
        context()
    with pytest.raises(RuntimeError, match="there is no job here"):
        progress(0.5)


def test_a_job_says_how_far_it_is_and_the_last_word_counts() -> None:
    def run() -> Context:
        current.set(a_context())
        warren.progress(0.1, "begun")
        warren.progress(1, None)
        return warren.context()

    assert (1, None) == contextvars.copy_context().run(run).progress


@pytest.mark.parametrize("fraction", [-0.01, 1.01, math.nan, math.inf, 50])
def test_a_fraction_is_from_0_to_1(fraction: float) -> None:
    with pytest.raises(ValueError, match="progress is a fraction from 0 to 1"):
        progress(fraction)


async def test_jobs_side_by_side_do_not_see_each_other() -> None:
    async def run(number: int) -> UUID:
        current.set(a_context(number))
        await asyncio.sleep(0)
        return (await asyncio.to_thread(context)).job_id

    assert [UUID(int=n) for n in range(20)] == await asyncio.gather(*map(run, range(20)))


def test_what_the_function_submits_is_kept_apart_from_what_is_sent_about_its_outcome() -> None:
    """
    The first exists only if the job completed; a failure callback exists whatever the outcome is.
    """
    job, inner, outer = a_context(), a_submission(1), a_submission(2)
    job.in_function = True
    job.submit(inner)
    job.in_function = False
    job.submit(outer)

    assert ([inner], [outer]) == (list(job.children.values()), list(job.kept_children.values()))


def a_submission(number: int) -> Submission:
    return Submission(
        UUID(int=number), "echo", "default", 5, b"{}", b"", (), None, 3, 30.0, None, None, Trace.begin()
    )  # fmt: skip
