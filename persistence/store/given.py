"""The rows that a statement is given: many of them as arrays, one a column, or a single one as it is.

Under load a statement takes what has gathered.  Where jobs come one by one an array costs more than what is in it:
asyncpg asks of each what it is, and Postgres unfolds it again (0.15 ms of what a job waits for its start).
"""

from __future__ import annotations


def many(*types: str) -> str:
    """A column of arrays of these types.

    The SELECT around $1 hides from the planner how many there are: for less than ten it would plan anew each time.
    Each is unfolded by itself: one unnest for all of them would write each down once more before it is read.
    """
    arrays = [f"${number}::{name}[]" for number, name in enumerate(types, 1)]
    unfolded = [f"unnest({array})" for array in (f"(SELECT {arrays[0]})", *arrays[1:])]
    return f"(SELECT {', '.join(unfolded)})"


def single(*types: str) -> str:
    """One row of these types."""
    return f"(VALUES ({', '.join(f'${number}::{name}' for number, name in enumerate(types, 1))}))"
