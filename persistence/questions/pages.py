"""A page of jobs as SQL: its filter, the place that it begins behind, and the walk that finds it.

Keyset-paged by (created_at, id), newest first, so that page 1,000 costs what page 1 costs.  Every value is an argument
and never a part of the text, so that few statements serve all pages and Postgres knows them again.

A tag is the one filter of which nobody knows how many jobs it has.  Postgres knows it of common tags while it plans for
the values that it is given, and not once it has settled for one plan for all values; then a rare tag walked through
everything.  So the two ways are two statements: among the newest few thousand (those of a state or a type where one is
asked for: of all jobs it may be a few), and, where they do not fill the page, by the index of tags.  Those of a small
batch, or of a schedule with few jobs, are looked at in its order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from persistence.questions.walks import ANYWHERE, KINDS, Walk
from wire.states import FILTERS

NEWEST: Final = "ORDER BY j.created_at DESC, j.id DESC"
FEW: Final = 5_000  # some milliseconds; a tag of one job in a hundred fills its page with them
FEW_OF_CROWD: Final = 1_000  # as long: each of them may lie on a page of its own

_ANYWHERE = f"(SELECT {{columns}} FROM jobs j {{where}} {NEWEST} LIMIT {{limit}})"  # noqa: S608 - made of a constant
_NEWEST = f"(SELECT * FROM jobs j {{bounds}} {NEWEST} LIMIT {FEW})"  # noqa: S608 - made of constants
_AMONG_NEWEST = f"(SELECT j.* FROM {{newest}} j {{where}} {NEWEST} LIMIT {{limit}})"  # noqa: S608 - made of a constant
_ALL_MET = f"""(
  WITH met AS MATERIALIZED (SELECT j.created_at, j.id FROM jobs j {{where}})
  SELECT {{columns}} FROM jobs j WHERE j.id = ANY(ARRAY(SELECT j.id FROM met j {NEWEST} LIMIT {{limit}})))"""  # noqa: S608 - made of constants
_ONE_BY_ONE = f"""(
  SELECT j.* FROM unnest({{values}}) AS one(value) CROSS JOIN LATERAL (
         SELECT {{columns}} FROM jobs j {{where}} AND j.{{column}} IS NOT NULL
          ORDER BY j.{{column}} DESC, j.created_at DESC, j.id DESC LIMIT {{limit}}) j
  {NEWEST} LIMIT {{limit}})"""  # noqa: S608 - made of a constant
# Where one of the walk begins and ends, without and with what bounds the page; `=` would let another index in.
# NOT NULL, because those of batches and schedules hold no others, and a comparison of rows does not prove it.
_BEGIN: Final = ("j.{column} >= one.value", "(j.{column}, j.created_at) >= (one.value, {since})")
_END: Final = ("j.{column} <= one.value", "(j.{column}, j.created_at, j.id) < (one.value, {after})")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs a reader wants; None means all."""

    state: str | None = None  # a word of wire.states.FILTERS
    type: str | None = None
    queue: str | None = None
    tag: str | None = None
    batch_id: UUID | None = None
    schedule_id: UUID | None = None
    since: datetime | None = None

    @property
    def counted(self) -> bool:
        """Whether the counts tell apart what is wanted, but for its age."""
        return self.tag is None and self.batch_id is None and self.schedule_id is None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended."""

    created_at: datetime
    id: UUID


class Asked:
    """A filter as SQL, with its arguments."""

    def __init__(self, wanted: Filter, after: Place | None = None) -> None:
        self.arguments: list[object] = []
        self._terms = [f"j.{term.format(self.put(value))}" for term, value in _terms(wanted) if value is not None]
        self._since = self.put(wanted.since) if wanted.since else None
        self._after = f"{self.put(after.created_at)}, {self.put(after.id)}" if after else None
        self._bounds = [f"j.created_at >= {self._since}"] if self._since else []
        if self._after:
            self._bounds.append(f"(j.created_at, j.id) < ({self._after})")
        self.where = _all_of([*self._terms, *self._bounds])

    def put(self, value: object) -> str:
        """Its place in the statement."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def page(self, walk: Walk, columns: str, limit: int) -> str:
        """The first so many on that walk, as a table."""
        if walk.column is None:
            return _ANYWHERE.format(columns=columns, where=self.where, limit=self.put(limit))
        return self._one_by_one(walk, columns, self.put(limit), self._terms)

    def among_newest(self, walk: Walk, limit: int) -> str:
        """The first so many of the newest few thousand on that walk, as a table."""
        newest = _NEWEST.format(bounds=_all_of(self._bounds))
        if walk.column is not None:
            newest = self._one_by_one(walk, "*", str(FEW_OF_CROWD), ())
        return _AMONG_NEWEST.format(newest=newest, where=self.where, limit=self.put(limit))

    def _one_by_one(self, walk: Walk, columns: str, limit: str, terms: Sequence[str]) -> str:
        """Bounds and an order that begin with the walk's column; of the terms Postgres is told nothing.

        It would take another index for them, or, where it believes that few jobs match, sort all that are on the walk.
        """
        assert walk.column is not None
        bounds = [_BEGIN[self._since is not None], _END[self._after is not None]]
        bounds = [bound.format(column=walk.column, since=self._since, after=self._after) for bound in bounds]
        where = _all_of([*bounds, *(f"coalesce({term}, false)" for term in terms)])
        values = f"{self.put(list(walk.values))}::{KINDS[walk.column]}[]"
        return _ONE_BY_ONE.format(columns=columns, where=where, column=walk.column, values=values, limit=limit)

    def all_met(self, columns: str, limit: int) -> str:
        """The first so many, when all that match have been found by whatever index has the fewest."""
        return _ALL_MET.format(columns=columns, where=self.where, limit=self.put(limit))


def ways(
    wanted: Filter, walk: Walk, columns: str, limit: int, after: Place | None = None
) -> Iterator[tuple[Asked, str]]:
    """The page as a table, with its arguments; where the first way does not fill it, the second one does."""
    asked = Asked(wanted, after)
    if wanted.tag is None or (walk.whole and walk != ANYWHERE):
        yield asked, asked.page(walk if walk.whole else ANYWHERE, columns, limit)
        return
    yield asked, asked.among_newest(walk, limit)
    asked = Asked(wanted, after)
    yield asked, asked.all_met(columns, limit)


def _all_of(terms: Sequence[str]) -> str:
    return "WHERE " + " AND ".join(terms or ["true"])


def _terms(wanted: Filter) -> list[tuple[str, object]]:
    states = sorted(FILTERS[wanted.state]) if wanted.state else []
    return [
        ("state = {}", states[0] if len(states) == 1 else None),
        ("state = ANY({})", states if len(states) > 1 else None),
        ("type = {}", wanted.type),
        ("queue = {}", wanted.queue),
        ("tags @> ARRAY[{}::text]", wanted.tag),
        ("batch_id = {}", wanted.batch_id),
        ("schedule_id = {}", wanted.schedule_id),
    ]
