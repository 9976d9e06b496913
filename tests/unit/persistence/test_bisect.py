"""One row that cannot be stored stands alone in the end; its neighbours are stored."""

from __future__ import annotations

import random

import asyncpg
import pytest

from persistence.store.bisect import each_that_fits
from wire.errors import DatabaseUnavailable


class Store:
    """Refuses a batch as Postgres does: whole, for one bad row."""

    def __init__(self, bad: set[int], outage_after: int | None = None) -> None:
        self._bad, self._outage_after = bad, outage_after
        self.stored: list[int] = []
        self.calls = 0

    async def __call__(self, batch: list[int]) -> list[int]:
        self.calls += 1
        if self._outage_after is not None and self.calls > self._outage_after:
            raise DatabaseUnavailable("gone")
        if found := self._bad & set(batch):
            raise asyncpg.CharacterNotInRepertoireError(f"row {min(found)} is bad\nand a second line")
        self.stored += batch
        return batch


@pytest.mark.parametrize("bad", [set(), {0}, {99}, {50}, {0, 99}, {3, 4, 5}, set(range(100))], ids=repr)
async def test_all_rows_but_the_bad_ones_are_stored_once(bad: set[int]) -> None:
    store = Store(bad)
    stored, refused = await each_that_fits(range(100), store)

    assert sorted(set(range(100)) - bad) == stored == store.stored
    assert sorted(bad) == [row for row, _ in refused]


async def test_the_reason_is_one_line() -> None:
    _, refused = await each_that_fits([1, 2], Store({2}))

    assert [(2, "row 2 is bad")] == refused


async def test_one_bad_row_in_many_is_found_in_few_steps() -> None:
    store = Store({random.Random(1).randrange(500)})
    await each_that_fits(range(500), store)

    assert store.calls <= 1 + 2 * 9


async def test_a_good_batch_is_one_call() -> None:
    store = Store(set())
    await each_that_fits(range(500), store)

    assert 1 == store.calls


async def test_nothing_is_nothing() -> None:
    assert ([], []) == await each_that_fits([], Store(set()))


@pytest.mark.parametrize("outage_after", [0, 1, 2, 3])
async def test_an_outage_is_no_bad_row(outage_after: int) -> None:
    """
    The caller tries the whole batch again; nothing is called unstorable because the database went away meanwhile.
    """
    with pytest.raises(DatabaseUnavailable):
        await each_that_fits(range(8), Store({2}, outage_after))
