"""A wait becomes a routing key: never early, hardly late, and RabbitMQ walks it bit by bit."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from tests.unit.wire.model_broker import ModelBroker, matches, standing
from wire import ladder, topology
from wire.fields import MAX_TYPE, check_type
from wire.topology import Profile

DICE = random.Random(20260101)
MANY_DELAYS = [
    *(timedelta(milliseconds=n) for n in (0, 1, 99, 100, 101, 199, 200, 255_00, 256_00, 257_00)),
    *(timedelta(milliseconds=DICE.uniform(0, 10 ** DICE.uniform(0, 9.5))) for _ in range(3_000)),
]
WITHIN = [delay for delay in MANY_DELAYS if delay <= ladder.LONGEST]
UNIT = timedelta(milliseconds=ladder.UNIT_MS)


@pytest.mark.parametrize(
    ("delay", "units"),
    [
        (timedelta(0), 1),
        (timedelta(seconds=-5), 1),
        (timedelta(microseconds=1), 1),
        (timedelta(milliseconds=100), 1),
        (timedelta(milliseconds=100, microseconds=1), 2),
        (timedelta(milliseconds=101), 2),
        (timedelta(seconds=1), 10),
        (timedelta(hours=1), 36_000),
        (ladder.LONGEST - UNIT, 2**25 - 2),
        (ladder.LONGEST, 2**25 - 1),
        (ladder.LONGEST + UNIT, 2**25 - 1),
        (timedelta(days=3_660), 2**25 - 1),
    ],
)
def test_an_exact_wait_is_rounded_up_to_the_next_unit(delay: timedelta, units: int) -> None:
    assert units == ladder.exact(delay)


@pytest.mark.parametrize(
    ("units", "rounded"),
    [(1, 1), (255, 255), (256, 256), (257, 258), (258, 258), (513, 516), (1_023, 1_024), (2**24 + 1, 2**24 + 2**17)],
)
def test_a_rounded_wait_keeps_eight_significant_bits(units: int, rounded: int) -> None:
    assert rounded == ladder.rounded(units * UNIT)


def test_no_wait_is_ever_short() -> None:
    early = [d for d in WITHIN if ladder.exact(d) * UNIT < d or ladder.rounded(d) * UNIT < d]

    assert [] == early


def test_an_exact_wait_is_late_by_less_than_a_unit_and_a_millisecond() -> None:
    late = [d for d in WITHIN if d > UNIT and ladder.exact(d) * UNIT - d >= UNIT + timedelta(milliseconds=1)]

    assert [] == late


def test_a_rounded_wait_is_late_by_one_part_in_128_at_most() -> None:
    """
    0.8 % of an hour is half a minute: good enough for a retry, not for `run_at`.
    """
    late = [d for d in WITHIN if ladder.rounded(d) > ladder.exact(d) * (1 + 1 / 128)]

    assert [] == late


def test_a_rounded_wait_takes_eight_hops_at_most() -> None:
    hops = [ladder.rounded(d).bit_count() for d in MANY_DELAYS]

    assert max(hops) <= 8


def test_the_longest_wait_does_not_leave_the_ladder_when_it_is_rounded() -> None:
    assert 2**25 - 1 == ladder.rounded(ladder.LONGEST)
    assert 25 == len(ladder.bits(ladder.rounded(timedelta(days=3_660))).split("."))


def test_who_waits_longer_does_not_come_sooner() -> None:
    units = [(ladder.exact(delay), ladder.rounded(delay)) for delay in sorted(MANY_DELAYS)]

    assert sorted(exact for exact, _ in units) == [exact for exact, _ in units]
    assert sorted(rounded for _, rounded in units) == [rounded for _, rounded in units]


@pytest.mark.parametrize("days", [38.83, 38.84, 39, 100, 366, 3_660])
def test_who_waits_longer_than_the_ladder_enters_it_again_and_is_no_later_for_it(days: float) -> None:
    """
    Whoever is early is sent through once more, for as long as is left.
    """
    delay = left = timedelta(days=days)
    trips = 0
    while left > timedelta(0):
        left, trips = left - ladder.exact(left) * UNIT, trips + 1

    assert timedelta(0) <= -left < UNIT + timedelta(milliseconds=1)
    assert -(-delay // ladder.LONGEST) == trips


@pytest.mark.parametrize(
    ("units", "exchange", "tail"),
    [(1, "delay.00", "0.0.1"), (2, "delay.01", "0.1.0"), (5, "delay.02", "1.0.1"), (2**24, "delay.24", "0.0.0")],
)
def test_a_message_enters_at_its_highest_bit(units: int, exchange: str, tail: str) -> None:
    entered, key = ladder.entry(units, "job.echo.p5")

    assert exchange == entered
    assert key.endswith(f".{tail}.job.echo.p5")
    assert 25 == len(key.removesuffix(".job.echo.p5").split("."))


def test_the_bits_are_the_units_most_significant_first() -> None:
    assert all(units == int(ladder.bits(units).replace(".", ""), 2) for units in (1, 2, 3, 1_000, 2**25 - 1))


def test_the_longest_type_still_fits_into_a_routing_key() -> None:
    """
    AMQP carries a routing key in a short string of 255 bytes; a longer one closes the channel.
    """
    longest = check_type("a" * MAX_TYPE)
    _, key = ladder.entry(2**25 - 1, topology.routing_key(longest, 10))

    assert len(key.encode()) <= 255
    assert len(ladder.due(f"job.{longest}.*").encode()) <= 255


@pytest.mark.parametrize("profile", Profile)
def test_a_message_rests_in_the_queues_of_its_set_bits_and_leaves_for_its_work_queue(profile: Profile) -> None:
    broker = standing(profile, {"echo": "default", "report.daily": "slow"})

    for delay in [*DICE.sample(WITHIN, 1_000), timedelta(milliseconds=100), ladder.LONGEST]:
        for units in (ladder.exact(delay), ladder.rounded(delay)):
            _walk(broker, units)


@pytest.mark.parametrize("profile", Profile)
def test_what_leaves_the_ladder_for_an_unbound_type_is_unrouted_and_not_lost(profile: Profile) -> None:
    journey = standing(profile, {"echo": "default"}).journey(*ladder.entry(11, "job.retired.p5"))

    assert {"unrouted"} == journey.ends
    assert 1_100 == journey.millis


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("level", range(ladder.LEVELS))
def test_what_has_no_bits_at_all_is_unrouted_and_not_lost(profile: Profile, level: int) -> None:
    """
    Somebody publishes by hand, with a key of his own.
    """
    journey = standing(profile, {"echo": "default"}).journey(ladder.level_name(level), "job.echo.p5")

    assert {"unrouted"} == journey.ends


@pytest.mark.parametrize(
    ("pattern", "key", "taken"),
    [
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.#", "a", True),
        ("#", "", True),
        ("#.b.*", "a.x.b.c", True),
        ("*.1.#", "0.1", True),
        ("*.1.#", "1.0.1", False),
    ],
)
def test_the_model_matches_topics_as_rabbitmq_does(pattern: str, key: str, taken: bool) -> None:
    assert taken is matches(pattern, key)


def _walk(broker: ModelBroker, units: int) -> None:
    journey = broker.journey(*ladder.entry(units, "job.report.daily.p3"))
    set_bits = tuple(ladder.level_name(n) for n in range(24, -1, -1) if units >> n & 1)

    assert (frozenset({"work.slow"}), set_bits, units * 100) == (journey.ends, journey.rested, journey.millis)
