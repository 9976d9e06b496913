"""What stands on the broker: the order in which it is declared, the arguments, and where a message ends."""

from __future__ import annotations

import pytest

from tests.unit.wire.model_broker import ModelBroker, standing
from wire import topology
from wire.topology import BIRTHS, DEAD, DUE, INNER, PUBLIC, UNROUTED, Binding, Exchange, Profile, Queue

each_profile = pytest.mark.parametrize("profile", Profile)
KNOWN_ARGUMENTS = {
    "x-queue-type", "x-max-priority", "x-delivery-limit", "x-message-ttl", "x-dead-letter-exchange",
    "x-dead-letter-strategy", "x-overflow", "alternate-exchange",
}  # fmt: skip
QUEUE_TYPES = {Profile.CLASSIC: "classic", Profile.QUORUM: "quorum"}


def exchanges(profile: Profile) -> dict[str, Exchange]:
    return {part.name: part for part in topology.fixed(profile) if isinstance(part, Exchange)}


def queues(profile: Profile) -> dict[str, Queue]:
    parts = [*topology.fixed(profile), topology.serve("default", profile)]
    return {part.name: part for part in parts if isinstance(part, Queue)}


@each_profile
def test_everything_is_declared_before_it_is_bound_and_nothing_twice(profile: Profile) -> None:
    parts = [*topology.fixed(profile), topology.serve("default", profile), *topology.bind_type("echo", "default")]

    ModelBroker().declare(parts)
    assert len(parts) == len({repr(part) for part in parts})


@each_profile
def test_a_second_process_declares_the_same(profile: Profile) -> None:
    broker = standing(profile, {"echo": "default", "report": "slow"})

    broker.declare(topology.fixed(profile))
    broker.declare([topology.serve("slow", profile)])


def test_a_type_is_bound_from_its_work_queue_backwards_and_births_last() -> None:
    """
    A message that reaches births before its way to the work queue stands is born and never routed (measured).
    """
    ways = topology.bind_type("echo", "default")

    assert [
        (INNER, "work.default"), (DUE, "work.default"), (PUBLIC, INNER), (PUBLIC, BIRTHS),
    ] == [(way.source, way.target) for way in ways]  # fmt: skip


@each_profile
@pytest.mark.parametrize("standing_ways", range(4))
def test_a_process_that_dies_while_it_binds_leaves_no_birth_without_work(profile: Profile, standing_ways: int) -> None:
    broker = ModelBroker()
    broker.declare([*topology.fixed(profile), topology.serve("default", profile)])
    broker.declare(topology.bind_type("echo", "default")[:standing_ways])
    reached = broker.route(PUBLIC, "job.echo.p5")

    assert "births" not in reached
    assert reached <= {"work.default", "unrouted"}
    assert reached


@each_profile
def test_no_message_that_was_published_anywhere_can_vanish(profile: Profile) -> None:
    """
    With `mandatory` satisfied by the first ladder queue, only an alternate exchange on each exchange keeps a message.
    """
    topics = {e.name for e in exchanges(profile).values() if e.kind == "topic"}
    safe = {e.name for e in exchanges(profile).values() if e.arguments.get("alternate-exchange") == UNROUTED}

    assert {PUBLIC, INNER, DUE, *(f"delay.{n:02d}" for n in range(25))} == topics == safe


@each_profile
@pytest.mark.parametrize("exchange", [PUBLIC, INNER])
def test_a_message_of_an_unbound_type_is_unrouted(profile: Profile, exchange: str) -> None:
    assert {"unrouted"} == standing(profile, {"echo": "default"}).route(exchange, "job.ehco.p5")


@each_profile
def test_the_public_door_reaches_the_work_queue_and_births(profile: Profile) -> None:
    assert {"work.default", "births"} == standing(profile, {"echo": "default"}).route(PUBLIC, "job.echo.p5")


@each_profile
def test_the_inner_door_reaches_the_work_queue_only(profile: Profile) -> None:
    assert {"work.default"} == standing(profile, {"echo": "default"}).route(INNER, "job.echo.p5")


@each_profile
@pytest.mark.parametrize("exchange", [PUBLIC, INNER])
def test_a_type_does_not_reach_the_queue_of_a_type_it_ends_with(profile: Profile, exchange: str) -> None:
    broker = standing(profile, {"run": "fast", "cleanup.x.run": "slow", "cleanup": "other"})
    reached = broker.route(exchange, "job.cleanup.x.run.p5")

    assert {"work.slow"} == reached - {"births"}


@each_profile
def test_a_waiting_type_does_not_reach_the_queue_of_a_type_it_ends_with(profile: Profile) -> None:
    """
    A binding `#.job.<type>.*` on the way out of the ladder did (measured).
    """
    broker = standing(profile, {"run": "fast", "cleanup.x.run": "slow"})
    bits = "0." * 25

    assert {"unrouted"} == broker.route(DUE, f"{bits}job.cleanup.job.run.p5")
    assert {"work.slow"} == broker.route(DUE, f"{bits}job.cleanup.x.run.p5")
    assert {"work.fast"} == broker.route(DUE, f"{bits}job.run.p5")


@each_profile
def test_a_type_that_has_moved_reaches_its_new_queue_only(profile: Profile) -> None:
    broker = standing(profile, {"echo": "old"})
    broker.declare([topology.serve("new", profile), *topology.bind_type("echo", "new")])
    between = broker.route(INNER, "job.echo.p5")
    for way in topology.unbind_type("echo", "old"):
        broker.bindings[way.source].remove(way)

    assert "work.new" in between  # there is no moment without a way
    assert {"work.new"} == broker.route(INNER, "job.echo.p5") == broker.route(DUE, "0." * 25 + "job.echo.p5")
    assert {"work.new", "births"} == broker.route(PUBLIC, "job.echo.p5")


def test_a_classic_work_queue_has_ten_priorities() -> None:
    queue = topology.serve("email", Profile.CLASSIC)

    assert Queue(
        "work.email", {"x-queue-type": "classic", "x-dead-letter-exchange": "jobs.dead", "x-max-priority": 10}
    ) == queue  # fmt: skip


def test_a_quorum_work_queue_has_no_max_priority() -> None:
    """
    RabbitMQ answers 406 to x-max-priority on a quorum queue, from 3.10 to 4.3 (measured).
    """
    queue = topology.serve("email", Profile.QUORUM)

    assert Queue(
        "work.email",
        {
            "x-queue-type": "quorum", "x-dead-letter-exchange": "jobs.dead", "x-delivery-limit": 20,
            "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish",
        },
    ) == queue  # fmt: skip


@each_profile
def test_every_queue_is_of_the_profiles_kind(profile: Profile) -> None:
    assert {QUEUE_TYPES[profile]} == {queue.arguments["x-queue-type"] for queue in queues(profile).values()}


@each_profile
def test_what_a_foreign_expiration_throws_out_becomes_a_dead_letter(profile: Profile) -> None:
    thrown_to = {name: queues(profile)[name].arguments["x-dead-letter-exchange"] for name in ("work.default", BIRTHS)}

    assert {"work.default": DEAD, BIRTHS: DEAD} == thrown_to
    assert {"dead"} == standing(profile, {}).route(DEAD, "anything")


def test_a_quorum_queue_that_dead_letters_does_it_at_least_once() -> None:
    """
    Without reject-publish, at-least-once is silently at-most-once, which lost 13k-18k of 20k (measured).
    """
    letting_go = [q for q in queues(Profile.QUORUM).values() if "x-dead-letter-exchange" in q.arguments]

    assert len(letting_go) == 27  # 25 levels, births, the work queue
    assert {("at-least-once", "reject-publish")} == {
        (q.arguments["x-dead-letter-strategy"], q.arguments["x-overflow"]) for q in letting_go
    }


def test_a_quorum_queue_that_hands_nothing_on_never_gives_a_message_up() -> None:
    """
    RabbitMQ 4 drops what was delivered 20 times in vain and has nowhere to go, unless the limit is lifted (measured).
    """
    keeping = {q.name: q for q in queues(Profile.QUORUM).values() if "x-dead-letter-exchange" not in q.arguments}

    assert {"dead", "unrouted", "warren.epoch"} == keeping.keys()
    assert {-1} == {q.arguments["x-delivery-limit"] for q in keeping.values()}


@each_profile
def test_no_argument_is_misspelt(profile: Profile) -> None:
    """
    RabbitMQ takes `x-max-priorty` without a word.
    """
    parts: list[Exchange | Queue] = [*exchanges(profile).values(), *queues(profile).values()]

    assert {name for part in parts for name in part.arguments} <= KNOWN_ARGUMENTS


@each_profile
def test_only_the_ladder_lets_messages_go_after_a_time(profile: Profile) -> None:
    """
    No time limit eats a dead letter, a birth or a job that waits for a worker.
    """
    timed = {
        name: q.arguments["x-message-ttl"] for name, q in queues(profile).items() if "x-message-ttl" in q.arguments
    }

    assert {f"delay.{n:02d}": 100 * 2**n for n in range(25)} == timed


@each_profile
def test_the_longest_time_to_live_is_one_that_rabbitmq_takes(profile: Profile) -> None:
    assert max(int(q.arguments.get("x-message-ttl", 0)) for q in queues(profile).values()) < 2**32


def test_nothing_is_bound_to_births_without_a_type() -> None:
    """
    `#` there would hide every unroutable message from the alternate exchange.
    """
    keys = [p.key for p in topology.bind_type("echo", "default") if p.target == BIRTHS]
    fixed = [p for profile in Profile for p in topology.fixed(profile) if isinstance(p, Binding) and p.target == BIRTHS]

    assert (["job.echo.*"], []) == (keys, fixed)


@pytest.mark.parametrize(
    ("version", "profile"),
    [
        ("3.10.8", Profile.CLASSIC),
        ("3.13.7", Profile.CLASSIC),
        ("4.0.5", Profile.CLASSIC),
        ("4.2.9", Profile.CLASSIC),
        ("4.3.0", Profile.QUORUM),
        ("4.3.0-rc.1", Profile.QUORUM),
        ("4.10.1", Profile.QUORUM),
        ("5.0.0", Profile.QUORUM),
        ("3.30.1", Profile.CLASSIC),
        ("4", Profile.CLASSIC),
        ("", Profile.CLASSIC),
        ("unknown", Profile.CLASSIC),
    ],
)
def test_the_profile_follows_from_the_brokers_version(version: str, profile: Profile) -> None:
    assert profile is topology.choose(version)
