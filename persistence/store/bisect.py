"""One row that Postgres cannot store must not stop its batch: halve the batch until the culprit stands alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from persistence.store.database import DATA_ERRORS

T = TypeVar("T")
R = TypeVar("R")


async def each_that_fits(
    batch: Sequence[T], store: Callable[[list[T]], Awaitable[list[R]]]
) -> tuple[list[R], list[tuple[T, str]]]:
    """The results of all rows that could be stored, and the others with the reason; outages are not caught."""
    try:
        return await store(list(batch)), []
    except DATA_ERRORS as e:
        if len(batch) == 1:
            return [], [(batch[0], str(e).splitlines()[0][:300])]
    half = len(batch) // 2
    stored, refused = await each_that_fits(batch[:half], store)
    more_stored, more_refused = await each_that_fits(batch[half:], store)
    return stored + more_stored, refused + more_refused
