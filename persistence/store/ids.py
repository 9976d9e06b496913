"""Read the id of a job as the driver has it: parsed, hashed, compared and sent to Postgres without a line of Python.

A worker looks an id up a dozen times on its way; the standard library's UUID is parsed and hashed by Python code, which
was a tenth of what a job cost a worker.  The two are equal and interchangeable.
"""

from __future__ import annotations

from uuid import UUID

from asyncpg.pgproto import pgproto


def read_id(text: str) -> UUID:
    """The id in this text, or ValueError."""
    try:
        drivers: UUID = pgproto.UUID(text)
    except ValueError:
        return UUID(text)  # with braces, or as a URN: whatever the doors take
    return drivers
