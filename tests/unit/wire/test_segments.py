"""Segments: what a person may write, and what it means."""

from __future__ import annotations

import pytest

from wire.segments import EVERY, SEGMENTS, Stretch, joined, stretches, within


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (EVERY, [(0, 127)]),
        ("7", [(7, 7)]),
        ("0-31,64,100-127", [(0, 31), (64, 64), (100, 127)]),
        (" 5 - 9 , 8-12,3,4 ", [(3, 12)]),
        ("127,0", [(0, 0), (127, 127)]),
    ],
)
def test_numbers_and_ranges_are_joined(said: str, meant: list[tuple[int, int]]) -> None:
    assert [Stretch(*stretch) for stretch in meant] == list(stretches(said))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "numbers and ranges"), ("all", "numbers and ranges"), ("0-31,", "numbers and ranges"),
        ("-1", "numbers and ranges"), ("0-1000000000", "numbers and ranges"), ("1--2", "numbers and ranges"),
        ("128", "within 0-127"), ("0-128", "within 0-127"), ("9-3", "backwards"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_a_reason(said: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        stretches(said)


def test_what_is_within_comes_back_joined() -> None:
    every_third = range(0, SEGMENTS, 3)

    assert frozenset(every_third) == within(joined(every_third))
