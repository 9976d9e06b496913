"""How fast a backlog drains, as a ratio: a machine that is slow today is slow for both."""

from __future__ import annotations

import pytest

from tests.bench.peers.contest import contest, ratio
from tests.bench.stage import servers

LEAST = 0.25  # of the bare loop; about half as much as `python -m tests.bench` finds


@pytest.mark.long
def test_a_backlog_drains_at_a_good_part_of_a_bare_loops_rate() -> None:
    """
    Claims, fences and the history of attempts have their price, and a change that doubles it is noticed.
    """
    with servers() as found:
        warren, bare = contest(found, jobs=5_000, runs=3, paced=0, peers=())

    assert ratio(warren, bare) >= LEAST, (warren.turns, bare.turns)
