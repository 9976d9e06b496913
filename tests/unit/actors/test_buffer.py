"""What waits in a worker starts by priority, first come first served; nobody starves; what is too much goes back."""

from __future__ import annotations

import random

import pytest

from actors.deliveries.buffer import Buffer
from actors.deliveries.delivery import NO_CHANNEL, Delivery
from wire.message import Incoming


def delivery(
    priority: int | None, tag: int = 0, size: int = 2, *, queue: str = "work.default", arrived: float = 0.0
) -> Delivery:
    message = Incoming(b"x" * size, "jobs", "job.echo.p5", queue, priority=priority)
    return Delivery(message, tag, channel=1, arrived=arrived)


def neglected(priority: int, tag: int = 0) -> Delivery:
    return Delivery(Incoming(b"", "", "job.echo.p1", "work.default", priority=priority), tag, NO_CHANNEL)


def filled(*priorities: int | None) -> Buffer:
    buffer = Buffer()
    for tag, priority in enumerate(priorities):
        buffer.put(delivery(priority, tag))
    return buffer


def tags(deliveries: list[Delivery]) -> list[int]:
    return [d.tag for d in deliveries]


def test_the_highest_priority_starts_first_and_within_one_the_first() -> None:
    buffer = filled(5, 1, 10, 5, 10, None, 0)

    assert [2, 4, 0, 3, 1, 5, 6] == tags(buffer.take(100))
    assert 0 == len(buffer)


def test_what_came_from_a_queue_leaves_with_it_and_the_others_keep_their_order() -> None:
    buffer = Buffer()
    for tag, (priority, queue) in enumerate(
        [(5, "work.a"), (5, "work.b"), (9, "work.a"), (5, "work.b"), (1, "work.c")]
    ):
        buffer.put(delivery(priority, tag, size=3, queue=queue))
    left = buffer.leave({"work.a", "work.c"})

    assert ([4, 0, 2], 2, 6) == (tags(left), len(buffer), buffer.bytes)
    assert [1, 3] == tags(buffer.take(100))


@pytest.mark.parametrize(("most", "taken"), [(0, 0), (1, 1), (3, 3), (9, 3)])
def test_no_more_are_taken_than_asked_for(most: int, taken: int) -> None:
    buffer = filled(1, 2, 3)

    assert (taken, 3 - taken) == (len(buffer.take(most)), len(buffer))


@pytest.mark.parametrize(("priority", "after"), [(255, 10), (-1, 1), (11, 10), (None, 1)])
def test_a_foreign_priority_beyond_the_scale_is_taken_to_its_end(priority: int | None, after: int) -> None:
    buffer = filled(after, priority)

    assert [0, 1] == tags(buffer.take(2))


def test_a_late_important_job_overtakes_what_waits() -> None:
    buffer = filled(*[1] * 100)
    buffer.put(delivery(10, tag=999))

    assert [999] == tags(buffer.take(1))


def test_one_start_in_fifty_goes_to_the_lowest_that_waits() -> None:
    """
    Measured without it: a p1 job under constant p10 started 0 times in 1,500.
    """
    buffer = filled(1, *[10] * 30)
    started = []
    for tag in range(1_000, 1_050):
        buffer.put(delivery(10, tag))
        started += tags(buffer.take(1))

    assert 0 == started[-1]
    assert 0 not in started[:-1]


def test_the_guard_costs_the_important_ones_no_more_than_its_share() -> None:
    buffer = filled(*[1] * 1_000, *[10] * 1_000)
    low = sum(d.message.priority == 1 for d in buffer.take(1_000))

    assert 20 == low


def test_a_neglected_job_has_the_fiftieth_start_though_it_never_came() -> None:
    buffer = filled(*[10] * 200)
    buffer.neglect([neglected(1, tag=1_001), neglected(2, tag=1_002)])
    started = tags(buffer.take(150))

    assert [1_001, 1_002] == [started[49], started[99]]
    assert {tag for tag in started if tag < 1_000} == set(range(148))


def test_a_neglected_job_takes_no_slot_out_of_its_turn() -> None:
    """
    An empty buffer means that the broker is about to send what is more important.
    """
    buffer = filled(*[10] * 10)
    buffer.neglect([neglected(1)])

    assert 10 == len(buffer.take(100))


def test_a_low_turn_is_kept_until_there_is_a_low_one() -> None:
    buffer = filled(*[10] * 80)
    buffer.take(70)
    buffer.neglect([neglected(1, tag=1_001)])

    assert [1_001, 70, 71] == tags(buffer.take(3))


def test_a_low_one_that_did_not_start_has_not_had_its_turn() -> None:
    buffer = filled(*[10] * 100)
    buffer.neglect([neglected(1, tag=1_001), neglected(1, tag=1_002)])
    buffer.take(50)
    buffer.owe()

    assert [1_002] == tags(buffer.take(1))


def test_a_lower_one_that_is_here_goes_before_a_neglected_one() -> None:
    buffer = filled(1, *[10] * 60)
    buffer.neglect([neglected(2, tag=1_001)])

    assert 0 == tags(buffer.take(50))[49]


def test_of_what_has_waited_the_least_important_of_each_queue_is_exchanged() -> None:
    buffer = Buffer()
    for tag, (priority, queue, arrived) in enumerate(
        [(5, "a", 1.0), (1, "a", 1.0), (1, "a", 2.0), (7, "b", 1.0), (1, "a", 9.0)]
    ):
        buffer.put(delivery(priority, tag, queue=queue, arrived=arrived))

    assert [2, 3] == tags(buffer.exchange(before=5.0))
    assert [0, 1, 4] == tags(buffer.take(9))


def test_the_highest_and_the_newcomers_are_not_exchanged() -> None:
    buffer = filled(10, 10)
    buffer.put(delivery(1, arrived=9.0))

    assert [] == buffer.exchange(before=5.0)


def test_what_came_and_went_in_a_moment_has_come_lately() -> None:
    """
    A quick lane's buffer is often empty when it is looked at.
    """
    buffer = filled(7, 5)
    buffer.take(2)
    asked = [buffer.lowest_lately(), buffer.lowest_lately()]
    buffer.put(delivery(3))

    assert [5, None, 3, 3] == [*asked, buffer.lowest_lately(), buffer.lowest_lately()]


def test_what_is_too_much_goes_back_lowest_and_latest_first() -> None:
    buffer = filled(5, 1, 10, 1, 5)

    assert [3, 1, 4] == tags(buffer.shed(2))
    assert [2, 0] == tags(buffer.take(9))


@pytest.mark.parametrize("most", [3, 4, 500])
def test_what_fits_is_not_given_back(most: int) -> None:
    assert [] == filled(1, 2, 3).shed(most)


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_lost_and_the_bytes_are_right(seed: int) -> None:
    dice = random.Random(seed)
    buffer, inside, out = Buffer(), dict[int, int](), set[int]()
    for tag in range(2_000):
        size = dice.randrange(100)
        buffer.put(delivery(dice.choice([None, *range(12)]), tag, size))
        inside[tag] = size
        gone = buffer.take(dice.randrange(3)) if dice.random() < 0.8 else buffer.shed(dice.randrange(200))
        assert not out & set(tags(gone))
        out |= set(tags(gone))
        for d in gone:
            del inside[d.tag]
        assert (len(inside), sum(inside.values())) == (len(buffer), buffer.bytes)

    assert set(inside) == set(tags(buffer.take(10_000)))
    assert 0 == buffer.bytes
