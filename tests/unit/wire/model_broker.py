"""RabbitMQ's routing, as far as our topology uses it: topic and fanout exchanges, alternates, fixed times to live.

A model, so that thousands of journeys take no time; what it assumes is what the measurements on real servers found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from wire import topology
from wire.topology import Binding, Exchange, Part, Profile, Queue


@dataclass(frozen=True)
class Journey:
    """Where a message rested, and for how long, before it reached a queue without a time to live."""

    ends: frozenset[str]
    rested: tuple[str, ...] = ()
    millis: int = 0


@dataclass
class ModelBroker:
    """What has been declared, and where a message would go."""

    exchanges: dict[str, Exchange] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    bindings: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))

    def declare(self, parts: Iterable[Part]) -> None:
        for part in parts:
            match part:
                case Exchange():
                    assert self.exchanges.setdefault(part.name, part) == part, f"406: {part}"
                case Queue():
                    assert self.queues.setdefault(part.name, part) == part, f"406: {part}"
                case Binding():
                    assert part.source in self.exchanges, f"404: {part}"
                    assert part.target in (self.queues if part.to == "queue" else self.exchanges), f"404: {part}"
                    self.bindings[part.source].append(part)

    def route(self, exchange: str, key: str) -> set[str]:
        """The queues that a message reaches at once."""
        source = self.exchanges[exchange]
        matching = [b for b in self.bindings[exchange] if source.kind == "fanout" or matches(b.key, key)]
        if not matching and "alternate-exchange" in source.arguments:
            return self.route(str(source.arguments["alternate-exchange"]), key)
        reached: set[str] = set()
        for binding in matching:
            reached |= {binding.target} if binding.to == "queue" else self.route(binding.target, key)
        return reached

    def journey(self, exchange: str, key: str) -> Journey:
        """The whole way, through every queue that lets go of its messages after a time."""
        rested: list[str] = []
        millis = 0
        while True:
            reached = self.route(exchange, key)
            waiting = {queue for queue in reached if "x-message-ttl" in self.queues[queue].arguments}
            if not waiting:
                return Journey(frozenset(reached), tuple(rested), millis)
            assert waiting == reached, f"a message waits in {waiting} and is in {reached} too"
            (queue,) = waiting
            rested.append(queue)
            arguments = self.queues[queue].arguments
            millis += int(arguments["x-message-ttl"])
            exchange = str(arguments["x-dead-letter-exchange"])


def matches(pattern: str, key: str) -> bool:
    """Whether a topic binding takes a routing key."""
    return _match(pattern.split("."), key.split("."))


def standing(profile: Profile, types: dict[str, str]) -> ModelBroker:
    """A broker with these types, each with its queue."""
    broker = ModelBroker()
    broker.declare(topology.fixed(profile))
    for queue in sorted(set(types.values())):
        broker.declare([topology.serve(queue, profile)])
    for job_type, queue in types.items():
        broker.declare(topology.bind_type(job_type, queue))
    return broker


def _match(pattern: list[str], words: list[str]) -> bool:
    while pattern and pattern[0] != "#":
        if not words or pattern[0] not in ("*", words[0]):
            return False
        pattern, words = pattern[1:], words[1:]
    if not pattern:
        return not words
    return any(_match(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
