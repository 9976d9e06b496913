"""Conditions of a payload as an expression of the engine.

A condition is a column, a word and a value; its value is never evaluated and becomes a value of the column's kind, or
the condition is refused: a text that is compared to a number would hold for none and say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import reduce
from operator import and_, or_
from typing import Any, Final

import polars as pl

from actors.ends import PermanentError
from actors.trades.tables.asked import Condition
from actors.trades.tables.table import Kind, Table

MOST: Final = 500
DEEPEST: Final = 10
Compare = Callable[[pl.Expr, Any], pl.Expr]
COMPARE: Final[Mapping[str, Compare]] = {
    "=": lambda column, value: column.is_null() if value is None else column == value,
    "!=": lambda column, value: column.is_not_null() if value is None else column.ne_missing(value),
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}
ALSO: Final = {"==": "=", "eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OF_TEXTS: Final[Mapping[str, Compare]] = {
    "contains": lambda column, value: column.str.contains(value, literal=True),
    "starts_with": lambda column, value: column.str.starts_with(value),
    "ends_with": lambda column, value: column.str.ends_with(value),
    "matches": lambda column, value: column.str.contains(value),  # by an automaton: in linear time
}


class Conditions:
    """Of one table."""

    def __init__(self, table: Table, field: str) -> None:
        self._table, self._field, self._count = table, field, 0

    def all_of(self, conditions: Sequence[Condition]) -> pl.Expr:
        return self._every(conditions, self._field, 0)

    def _every(self, conditions: Sequence[Condition], field: str, depth: int) -> pl.Expr:
        return reduce(and_, (self._one(one, f"{field}.{number}", depth) for number, one in enumerate(conditions)))

    def _one(self, said: Condition, field: str, depth: int) -> pl.Expr:
        self._count += 1
        if self._count > MOST or depth > DEEPEST:
            raise PermanentError(f"{field}: at most {MOST} conditions, {DEEPEST} deep, are taken")
        if sum(part is not None for part in (said.column, said.any, said.all)) != 1:
            raise PermanentError(f"{field}: has to have either a column, or any, or all")
        if said.all is not None:
            return self._every(said.all, f"{field}.all", depth + 1)
        if said.any is not None:
            parts = (self._one(one, f"{field}.any.{number}", depth + 1) for number, one in enumerate(said.any))
            return reduce(or_, parts)
        assert said.column is not None
        return self._plain(said.column, said, field)

    def _plain(self, name: str, said: Condition, field: str) -> pl.Expr:
        kind = self._table.kind(name, f"{field}.column")
        column, op = self._table.value(name), ALSO.get(said.op, said.op)
        if op in ("is_missing", "is_present"):
            return column.is_null() if op == "is_missing" else column.is_not_null()
        if kind in (Kind.NESTED, Kind.OTHER):
            raise PermanentError(f"{field}.column: {name!r} holds no plain values; ask is_missing or is_present of it")
        if op in OF_TEXTS:
            return self._of_texts(column, kind, op, said, field)
        if op in ("in", "not_in", "between"):
            if not isinstance(said.value, list):
                raise PermanentError(f"{field}.value: {op!r} needs a list of values")
            values = [_fit(one, kind, name, f"{field}.value.{number}") for number, one in enumerate(said.value)]
            return _of_several(column, op, values, field)
        value = _fit(said.value, kind, name, f"{field}.value")
        if value is None and op not in ("=", "!="):
            raise PermanentError(f"{field}.value: null is neither more nor less than anything; ask is_missing")
        return COMPARE[op](column, value)

    def _of_texts(self, column: pl.Expr, kind: Kind, op: str, said: Condition, field: str) -> pl.Expr:
        if kind is not Kind.TEXT:
            raise PermanentError(f"{field}.op: {op!r} is for texts, and {said.column!r} is {_a(kind)}")
        if not isinstance(said.value, str):
            raise PermanentError(f"{field}.value: {op!r} needs a text")
        if op == "matches":
            try:
                pl.Series([""]).str.contains(said.value)
            except pl.exceptions.ComputeError as e:
                words = str(e).strip().splitlines()[-1][:200]
                raise PermanentError(f"{field}.value: is no regular expression: {words}") from None
        return OF_TEXTS[op](column, said.value)


def _of_several(column: pl.Expr, op: str, values: list[Any], field: str) -> pl.Expr:
    if op == "between":
        if len(values) != 2 or None in values:
            raise PermanentError(f"{field}.value: 'between' needs the least and the largest value")
        return column.is_between(values[0], values[1])
    found = column.is_in([one for one in values if one is not None]).fill_null(None in values)
    return found if op == "in" else ~found


def _fit(value: object, kind: Kind, name: str, field: str) -> Any:
    """The value as one of this kind."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        Kind.INTEGER: is_number, Kind.NUMBER: is_number, Kind.BOOLEAN: isinstance(value, bool),
        Kind.TEXT: isinstance(value, str),
    }  # fmt: skip
    if fits.get(kind):
        return value
    if kind in (Kind.DATE, Kind.TIME) and isinstance(value, str):
        try:
            return date.fromisoformat(value) if kind is Kind.DATE else datetime.fromisoformat(value)
        except ValueError:
            pass
    raise PermanentError(f"{field}: {str(value)[:60]!r} does not fit the column {name!r}, which is {_a(kind)}")


def _a(kind: Kind) -> str:
    words = {Kind.DATE: "a date (2026-12-31)", Kind.TIME: "a time (2026-12-31T23:59:59)", Kind.BOOLEAN: "true or false"}
    return words.get(kind, f"an {kind}" if kind is Kind.INTEGER else f"a {kind}")
