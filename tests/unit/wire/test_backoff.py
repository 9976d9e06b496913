"""A connection that fails is tried again soon, then less often, and never by everybody at once."""

from __future__ import annotations

from itertools import islice

from wire.rabbitmq.backoff import CAP_SECONDS, FIRST_SECONDS, waits


def test_the_first_try_comes_soon_and_later_ones_are_capped() -> None:
    seconds = list(islice(waits(), 200))

    assert FIRST_SECONDS * 0.75 <= seconds[0] <= FIRST_SECONDS * 1.25
    assert all(CAP_SECONDS * 0.75 <= wait <= CAP_SECONDS * 1.25 for wait in seconds[10:])


def test_each_wait_is_about_twice_the_one_before_until_the_cap() -> None:
    for n, wait in enumerate(islice(waits(), 5)):
        assert FIRST_SECONDS * 2**n * 0.75 <= wait <= FIRST_SECONDS * 2**n * 1.25


def test_a_crowd_spreads_out() -> None:
    assert 50 == len({next(waits()) for _ in range(50)})
