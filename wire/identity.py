"""Where the ids of jobs come from, so that the same request always means the same job.

A fresh id is a UUID version 7: time-ordered keys keep the index hot.  An id derived from a key is a UUID version 8:
whichever path a request takes, the id itself removes the duplicate.  The hash is SHA-256 because Postgres has it
too: the SQL door derives the same ids and hashes.
"""

from __future__ import annotations

import hashlib
import time
from uuid import UUID

from wire.randomness import random_bytes

HASH_BYTES = 16


def fresh_id() -> UUID:
    """A UUID version 7 of this millisecond."""
    millis = time.time_ns() // 1_000_000
    return _uuid(millis.to_bytes(6, "big") + random_bytes()[:10], version=7)


def id_from_key(scope: str, key: str) -> UUID:
    """The id that an idempotency key stands for within a scope (an API key's name, a schedule, a parent job)."""
    return _uuid(_digest(f"{scope}\n{key}".encode()), version=8)


def body_hash(body: bytes) -> bytes:
    """What tells a second copy of a message from another message under the same id."""
    return _digest(body)


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()[:HASH_BYTES]


def _uuid(raw: bytes, version: int) -> UUID:
    number = int.from_bytes(raw, "big")
    number = number & ~(0xF << 76) | version << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=number)
