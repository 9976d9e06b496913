"""Enough in hand to keep the slots busy, and no more: what is prefetched cannot be overtaken."""

from __future__ import annotations

import pytest

from actors.lane.prefetch import MOST, MOST_BYTES, wanted, worth_changing


@pytest.mark.parametrize(
    ("concurrency", "per_second", "average_bytes", "prefetch"),
    [
        (100, 0, 200, 100),  # nothing has ended yet
        (100, 10, 200, 101),
        (100, 1_000, 200, 180),
        (100, 8_000, 200, 500),
        (100, 1e9, 200, MOST),
        (1, 0, 200, 1),
        (1, 20, 200, 3),
        (5_000, 0, 200, 5_000),  # the slots are always filled
        (5_000, 1e9, 200, 5_000),
        (100, 1_000, 0, 180),
        (100, 8_000, 256 * 1024, 256),
        (100, 8_000, 8 * 1024 * 1024, 8),
        (100, 8_000, 10**12, 1),  # never none: that would be a deaf worker
    ],
)
def test_the_window_follows_the_speed_and_the_size(
    concurrency: int, per_second: float, average_bytes: float, prefetch: int
) -> None:
    assert prefetch == wanted(concurrency, per_second, average_bytes)


def test_the_largest_messages_do_not_fill_the_memory() -> None:
    assert all(wanted(500, 1e6, size) * size <= MOST_BYTES for size in (1_000, 256 * 1024, 1024 * 1024))


@pytest.mark.parametrize(
    ("now", "then", "worth"),
    [
        (100, 100, False), (100, 124, False), (100, 125, True), (100, 51, False), (100, 50, True), (1, 1, False),
        (1, 2, True), (2, 1, True), (500, 1, True),
    ],
)  # fmt: skip
def test_a_quarter_more_or_the_half_is_worth_a_new_subscription(now: int, then: int, worth: bool) -> None:
    assert worth is worth_changing(now, then)


def test_a_speed_that_wavers_does_not_make_the_window_waver() -> None:
    prefetch, changes = 180, 0
    for per_second in (1_000, 1_400, 700, 1_200, 900, 1_500, 600):
        target = wanted(100, per_second, 200)
        if worth_changing(prefetch, target):
            prefetch, changes = target, changes + 1

    assert 0 == changes


def test_the_window_comes_near_to_what_a_speed_wants_however_it_grows() -> None:
    """
    The speed grows with the window; one that had to double stopped at half of it.
    """
    prefetch = 100
    for per_second in (2_000, 3_500, 4_500, 5_000, 5_000):
        target = wanted(100, per_second, 200)
        prefetch = target if worth_changing(prefetch, target) else prefetch

    assert prefetch >= 500 / 1.25
