"""Shares: every segment is somebody's, nobody has more than another, and few change hands."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from scheduler.clock.shares import EVERY, shared_out

ALL = frozenset(EVERY)


@pytest.mark.parametrize("clocks", [1, 2, 3, 5, 7, 128, 200])
def test_all_are_shared_out_evenly(clocks: int) -> None:
    shared = shared_out({1_000 + n: ALL for n in range(clocks)}, {})
    shares = Counter(shared.values())

    assert set(EVERY) == set(shared)
    assert max(shares.values()) - min(shares[1_000 + n] for n in range(clocks)) <= 1


def test_nobody_there_is_nobodys() -> None:
    assert {} == shared_out({}, {5: 1})


@pytest.mark.parametrize(("before", "after"), [((1,), (1, 2)), ((5, 9), (1, 5, 9)), ((1, 2, 3), (1, 3)), ((4,), (9,))])
def test_few_change_hands(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """
    Only what the newcomer is to have, or what the one that left had.
    """
    then = shared_out(dict.fromkeys(before, ALL), {})
    now = shared_out(dict.fromkeys(after, ALL), {s: m for s, m in then.items() if m in after})
    moved = [segment for segment in EVERY if then[segment] != now[segment] and then[segment] in after]

    assert len(moved) <= -(-len(EVERY) // len(after)) * len(set(after) - set(before))


def test_what_stands_evenly_stays() -> None:
    members = dict.fromkeys((7, 3, 5), ALL)
    first = shared_out(members, {})

    assert first == shared_out(members, first)


def test_pins_are_kept_and_the_others_get_the_rest() -> None:
    """
    Who may serve everything leaves the pinned ones their segments, even if it held them all before.
    """
    pinned, free = frozenset(range(64)), ALL
    shared = shared_out({1: pinned, 2: free}, dict.fromkeys(EVERY, 2))

    assert {1: set(range(64)), 2: set(range(64, 128))} == {
        member: {s for s, m in shared.items() if m == member} for member in (1, 2)
    }


def test_what_nobody_may_serve_is_left() -> None:
    assert set(range(10)) == set(shared_out({1: frozenset(range(10))}, dict.fromkeys(EVERY, 9)))


def test_all_come_to_the_same_and_it_holds() -> None:
    """
    Whatever the pins: nobody serves what it may not, and once taken nothing moves any more.
    """
    luck = random.Random(7)
    for _ in range(50):
        members = {pid: frozenset(luck.sample(EVERY, luck.randint(1, 128))) for pid in luck.sample(range(99), 4)}
        holders = {segment: luck.choice([*members, 100]) for segment in luck.sample(EVERY, 60)}
        shared = shared_out(members, holders)

        assert {segment for may in members.values() for segment in may} == set(shared)
        assert all(segment in members[member] for segment, member in shared.items())
        assert shared == shared_out(members, shared)
