"""What stands on the broker, as `warren topology` prints it: for whoever looks for a message, or must declare by hand.

The order is the order of declaration, which matters: `births` is bound last, or a job is born and never routed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wire import topology
from wire.topology import Binding, Exchange, Part, Profile, Queue

QUEUE, TYPE = "<queue>", "<type>"


def topology_page(profile: Profile) -> str:
    """All parts of a profile, one a line."""
    blocks = {
        f"Profile {profile}: what stands before any job type is known": topology.fixed(profile),
        f"For each queue, here {QUEUE}": [topology.serve(QUEUE, profile)],
        f"For each job type, here {TYPE} in {QUEUE}": topology.bind_type(TYPE, QUEUE),
    }
    return "\n\n".join(f"{title}\n" + "\n".join(map(_line, parts)) for title, parts in blocks.items()) + "\n"


def _line(part: Part) -> str:
    return "  " + " ".join(_words(part)).rstrip()


def _words(part: Part) -> Iterator[str]:
    match part:
        case Exchange(name, kind, arguments):
            yield from ("exchange", f"{name:<16}", kind, _arguments(arguments))
        case Queue(name, arguments):
            yield from ("queue   ", f"{name:<16}", "durable", _arguments(arguments))
        case Binding(source, target, key, to):
            yield from ("binding ", f"{source:<16}", "→", to, target, key and f"on {key}")


def _arguments(arguments: Mapping[str, str | int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())
