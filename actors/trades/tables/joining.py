"""Join two tables: by columns that are equal in both, as a question that the engine has not answered yet.

Refuses to make a flood of it: where each record of one has thousands of partners in the other, the engine holds all
that a piece of the first becomes.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from actors.ends import PermanentError
from actors.trades.tables.asked import Parameters
from actors.trades.tables.operations import restricted
from actors.trades.tables.table import Kind, Table

MOST_CELLS: Final = 20_000_000  # of a join in which each record has many partners
MOST_FOLD: Final = 10
KEY: Final = "\x01key"
RIGHT: Final = "_right"


def joined(left: Table, frame: pl.LazyFrame, right: Table, asked: Parameters) -> pl.LazyFrame:
    """The columns of the left table, then those of the right one; a name that both have ends in _right there."""
    on, right_on, keys = _keys(left, right, asked)
    ours, theirs = _keyed(left, frame, right, asked)
    if asked.how in ("semi", "anti"):
        return ours.join(theirs, on=keys, how=asked.how, maintain_order="left").drop(keys)
    _refuse_flood(left, right, asked)
    renamed = {name: name + RIGHT for name in right.columns if name in left.kinds}
    both = ours.join(theirs.rename(renamed), on=keys, how=asked.how, coalesce=True, maintain_order="left_right")
    twins = {name: renamed.get(other, other) for name, other in zip(on, right_on, strict=True)}
    filled = [pl.coalesce(name, twin).alias(name) for name, twin in twins.items()]
    return both.with_columns(filled).drop(keys, *twins.values())


def _keys(left: Table, right: Table, asked: Parameters) -> tuple[list[str], list[str], list[str]]:
    """The columns that have to be equal, and what they are called while they are compared."""
    on = left.known(asked.on, "payload.parameters.on")
    field = "payload.parameters.right_on" if asked.right_on else "payload.parameters.on"
    right_on = right.known(asked.right_on or asked.on, field)
    if len(on) != len(right_on):
        raise PermanentError(f"payload.parameters.right_on: has {len(right_on)} columns, and on has {len(on)}")
    return on, right_on, [f"{KEY}{number}" for number, _ in enumerate(on)]


def _keyed(left: Table, frame: pl.LazyFrame, right: Table, asked: Parameters) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Both tables, with what is compared beside their columns."""
    on, right_on, keys = _keys(left, right, asked)
    pairs = [_pair(left, mine, right, other) for mine, other in zip(on, right_on, strict=True)]
    ours = frame.with_columns(mine.alias(key) for (mine, _), key in zip(pairs, keys, strict=True))
    return ours, right.frame.with_columns(other.alias(key) for (_, other), key in zip(pairs, keys, strict=True))


def _refuse_flood(left: Table, right: Table, asked: Parameters) -> None:
    """Counted before it is made: how many are equal in both."""
    keys = _keys(left, right, asked)[2]
    ours, theirs = _keyed(left, restricted(left, left.frame, asked), right, asked)
    groups = ours.group_by(keys).len("ours").join(theirs.group_by(keys).len("theirs"), on=keys)
    pairs = groups.select((pl.col("ours").cast(pl.Float64) * pl.col("theirs")).sum())
    count = int(pairs.collect(engine="streaming").item())
    cells = count * (len(left.columns) + len(right.columns))
    if cells > MOST_CELLS and count > MOST_FOLD * max(left.records, right.records):
        raise PermanentError(
            f"payload.parameters.on: the join would have {count:,} records of {left.records:,} and {right.records:,}, "
            "for many are equal in these columns; name more of them, or fewer records by record_count or where"
        )


def _pair(left: Table, mine: str, right: Table, other: str) -> tuple[pl.Expr, pl.Expr]:
    """What is compared, of one kind on both sides."""
    one, two = left.kinds[mine], right.kinds[other]
    if one is two:
        return left.value(mine), right.value(other)
    if {one, two} == {Kind.INTEGER, Kind.NUMBER}:
        return left.value(mine).cast(pl.Float64), right.value(other).cast(pl.Float64)
    raise PermanentError(
        f"payload.parameters.on: {mine!r} is {one} in {left.name}, and {other!r} is {two} in {right.name}: "
        "they are never equal"
    )
