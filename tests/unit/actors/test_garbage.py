"""A worker looks for garbage seldom, but not so seldom that its memory is full of it by then."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator

import pytest

from actors.process.lane_thread import GARBAGE_AFTER

NODES, UNDER_WAY, MOST = 5_000, 20, 2_000_000


@pytest.fixture
def as_in_a_worker() -> Iterator[None]:
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_AFTER)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def parsed_page() -> list[object]:
    """Each node knows its parent, so that nothing of it goes by itself."""
    root: list[object] = []
    root.extend([root] for _ in range(NODES))
    return root


@pytest.mark.usefixtures("as_in_a_worker")
def test_pages_that_jobs_had_in_hand_do_not_fill_the_memory() -> None:
    """
    Jobs that are under way at a look carry their pages into the oldest generation, one after the other.
    """
    looks: list[int] = []

    def note(phase: str, told: dict[str, int]) -> None:
        if phase == "stop" and told["generation"] == 2:
            looks.append(told["collected"])

    gc.callbacks.append(note)
    under_way: deque[list[object]] = deque(maxlen=UNDER_WAY)
    for _ in range(MOST // NODES):
        under_way.append(parsed_page())
    gc.callbacks.remove(note)

    assert looks
    assert max(looks) < MOST
