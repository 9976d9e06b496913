"""How long a job waits, as a routing key.

The delay ladder is 25 queues; level n holds a message for 100·2ⁿ ms and hands it to level n−1.  A delay is written in
binary, most significant bit first, before the job's own key: a 1 parks the message at that level, a 0 falls through
within the same routing pass.  See wire/topology.py for the queues.  Pure; knows no broker.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

LEVELS: Final = 25
UNIT_MS: Final = 100
LONGEST: Final = timedelta(milliseconds=UNIT_MS * (2**LEVELS - 1))  # 38.8 days; who waits longer enters again
SIGNIFICANT_BITS: Final = 8  # a retry takes 8 hops at most and comes 0.8 % late at most


def exact(delay: timedelta) -> int:
    """A delay in units, rounded up to the next one: what `run_at` uses."""
    millis = -(-delay // timedelta(milliseconds=1))
    return min(max(1, -(-millis // UNIT_MS)), 2**LEVELS - 1)


def rounded(delay: timedelta) -> int:
    """A delay in units with 8 significant bits, rounded up: what retries use, for fewer hops."""
    units = exact(delay)
    spare = max(0, units.bit_length() - SIGNIFICANT_BITS)
    return min(-(-units >> spare) << spare, 2**LEVELS - 1)


def entry(units: int, key: str) -> tuple[str, str]:
    """The exchange and the routing key with which a message enters; the top set bit spares the empty levels above."""
    return level_name(units.bit_length() - 1), f"{bits(units)}.{key}"


def bits(units: int) -> str:
    return ".".join(format(units, f"0{LEVELS}b"))


def level_name(level: int) -> str:
    return f"delay.{level:02d}"


def parks(level: int) -> str:
    """The binding key of a level's own queue: this bit is set."""
    return "*." * (LEVELS - 1 - level) + "1.#"


def falls_through(level: int) -> str:
    """The binding key from a level to the one below: this bit is clear."""
    return "*." * (LEVELS - 1 - level) + "0.#"


def due(key: str) -> str:
    """The binding key under which a message leaves: exactly 25 bits, because `#` also matched other types' keys."""
    return "*." * LEVELS + key
