"""Acks: every settled tag once, none that is open, as few frames as possible."""

from __future__ import annotations

import random

import pytest

from actors.deliveries.ackwindow import AckWindow


class ModelChannel:
    """What RabbitMQ knows of a channel: which tags are out.  A tag that is not out closes it."""

    def __init__(self) -> None:
        self.out: list[int] = []
        self.frames = 0

    def ack(self, tag: int, *, multiple: bool) -> set[int]:
        self.frames += 1
        assert tag in self.out, f"406: unknown delivery tag {tag}"
        gone = {t for t in self.out if t <= tag} if multiple else {tag}
        self.out = [t for t in self.out if t not in gone]
        return gone

    def nack(self, tag: int) -> None:
        assert tag in self.out, f"406: unknown delivery tag {tag}"
        self.out.remove(tag)


def settle(window: AckWindow, channel: ModelChannel, tags: list[int]) -> set[int]:
    """Settle and send the frames; returns the tags that RabbitMQ forgets."""
    top, alone = window.settle(tags)
    gone = channel.ack(top, multiple=True) if top else set()
    for tag in alone:
        gone |= channel.ack(tag, multiple=False)
    return gone


def delivered(tags: range | list[int]) -> tuple[AckWindow, ModelChannel]:
    window, channel = AckWindow(), ModelChannel()
    for tag in tags:
        window.delivered(tag)
        channel.out.append(tag)
    return window, channel


@pytest.mark.parametrize(
    ("rounds", "acks"),
    [
        ([[1, 2, 3]], [(3, [])]),
        ([[3, 1, 2]], [(3, [])]),
        ([[2, 3]], [(0, [2, 3])]),
        ([[2, 3], [1]], [(0, [2, 3]), (1, [])]),
        ([[1], [3], [2]], [(1, []), (0, [3]), (2, [])]),
        ([[1, 3, 5]], [(1, [3, 5])]),
        ([[1, 1], [1]], [(1, []), (0, [])]),
        ([[]], [(0, [])]),
        ([[99]], [(0, [])]),
    ],
)
def test_the_contiguous_part_is_acked_at_once_and_stragglers_alone(
    rounds: list[list[int]], acks: list[tuple[int, list[int]]]
) -> None:
    window, _ = delivered(range(1, 6))

    assert acks == [window.settle(tags) for tags in rounds]


def test_one_long_job_does_not_pin_the_window() -> None:
    window, channel = delivered(range(1, 501))
    settle(window, channel, list(range(2, 501)))

    assert [1] == channel.out


def test_tags_that_never_came_are_no_gap() -> None:
    """
    pika returns by itself what arrives between a cancel and its confirmation.
    """
    window, channel = delivered([1, 2, 7, 8])
    settle(window, channel, [1, 2, 7, 8])

    assert ([], 1) == (channel.out, channel.frames)


def test_what_was_given_back_is_not_acked() -> None:
    window, channel = delivered(range(1, 6))
    for tag in window.give_back([2, 3, 99]):
        channel.nack(tag)
    settle(window, channel, [1, 2, 4])

    assert [5] == channel.out
    assert [] == window.give_back([2, 3, 4])


@pytest.mark.parametrize("seed", range(30))
def test_in_any_order_every_tag_is_settled_once_and_no_open_one_is_touched(seed: int) -> None:
    """
    An ack of a tag that is not out closes the channel, and with it all that is in flight.
    """
    dice = random.Random(seed)
    window, channel = AckWindow(), ModelChannel()
    unsettled: set[int] = set()
    tag = 0
    for _ in range(300):
        for _ in range(dice.randrange(8)):
            tag += dice.choice([1, 1, 1, 2, 5])
            window.delivered(tag)
            channel.out.append(tag)
            unsettled.add(tag)
        chosen = dice.sample(sorted(unsettled), dice.randint(0, len(unsettled)))
        if dice.random() < 0.2:
            for given in window.give_back(chosen):
                channel.nack(given)
        else:
            again = [dice.randint(1, tag)] if tag and dice.random() < 0.1 else []
            again = [t for t in again if t not in unsettled]  # a straggler that was settled before
            assert set(chosen) == settle(window, channel, chosen + again)
        unsettled -= set(chosen)
        assert unsettled == set(channel.out)
    settle(window, channel, sorted(unsettled))

    assert [] == channel.out


def test_acks_are_few_when_jobs_end_nearly_in_order() -> None:
    window, channel = delivered(range(1, 1_001))
    for start in range(1, 1_001, 100):
        settle(window, channel, list(range(start, start + 100)))

    assert ([], 10) == (channel.out, channel.frames)
