"""A lane's rest: it lasts while there is nothing, and no longer."""

from __future__ import annotations

import asyncio

from actors.lane.rest import Rest


async def test_where_there_is_something_nobody_rests() -> None:
    assert not await Rest(lambda: False).sit_out()


async def test_all_who_rest_are_up_when_it_ends() -> None:
    rest = Rest(lambda: True)
    resting = [asyncio.create_task(rest.sit_out(seconds)) for seconds in (None, 3_600.0, None)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in resting)

    rest.end()

    assert [True, True, True] == await asyncio.gather(*resting)


async def test_an_end_that_nobody_heard_keeps_nobody_from_the_next_rest() -> None:
    rest = Rest(lambda: True)
    rest.end()
    resting = asyncio.create_task(rest.sit_out())
    await asyncio.sleep(0)

    assert not resting.done()
    rest.end()
    assert await resting


async def test_a_rest_may_be_bounded() -> None:
    assert await Rest(lambda: True).sit_out(0.001)
