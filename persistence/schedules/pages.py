"""Pages of schedules that match a filter, newest first, keyset-paged like those of jobs.

Walked by the index that promises the fewest: a name or an owner has few schedules, a tag has some; those that stand
still or have ended are fewer than those of a type.  What else is asked is said in a form that no index serves, so that
Postgres does not leave the walk for what it guesses.  Nobody knows how many a tag has: it is looked for among the
newest few thousand, and where these do not fill the page all of it are found by the index of tags, and sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from persistence.questions.pages import Place
from persistence.schedules.schedule import COLUMNS, Schedule, Standing, schedule_of
from persistence.store.database import Database

NEWEST: Final = "ORDER BY s.created_at DESC, s.id DESC"
FEW: Final = 5_000  # a tag of one schedule in a hundred fills its page with them


@dataclass(frozen=True, slots=True)
class Filter:
    """Which schedules a reader wants; None means all."""

    state: str | None = None
    job_type: str | None = None
    name: str | None = None
    tag: str | None = None
    owner: str | None = None
    since: datetime | None = None


async def page(database: Database, wanted: Filter, limit: int, after: Place | None = None) -> list[Schedule]:
    """At most `limit` schedules, newest first, from behind `after`."""
    walked = _walked(wanted)
    if walked == "tag":
        statement, arguments = _Asked(wanted, after, walked=None).among_newest(limit)
        rows = await database.read(statement, *arguments)
        if len(rows) == limit:
            return [schedule_of(row) for row in rows]
    asked = _Asked(wanted, after, walked)
    statement, arguments = asked.all_met(limit) if walked in ("owner", "tag") else asked.walk(limit)
    return [schedule_of(row) for row in await database.read(statement, *arguments)]


class _Asked:
    """A filter as SQL; every value is an argument, so that few statements serve all pages."""

    def __init__(self, wanted: Filter, after: Place | None, walked: str | None) -> None:
        self._arguments: list[object] = []
        said = [(name, term, getattr(wanted, name)) for name, term in _TERMS.items()]
        terms = [(name, term.format(self._put(value))) for name, term, value in said if value is not None]
        self._terms = [term if name == walked else f"({term}) IS TRUE" for name, term in terms]
        self._bounds = [f"s.created_at >= {self._put(wanted.since)}"] if wanted.since else []
        if after:
            self._bounds.append(f"(s.created_at, s.id) < ({self._put(after.created_at)}, {self._put(after.id)})")

    def walk(self, limit: int) -> tuple[str, list[object]]:
        """The first so many on the walk over one index."""
        where = _all_of(self._terms + self._bounds)
        said = f"SELECT {COLUMNS} FROM schedules s {where} {NEWEST} LIMIT {self._put(limit)}"  # noqa: S608 - made of constants
        return said, self._arguments

    def among_newest(self, limit: int) -> tuple[str, list[object]]:
        """The first so many of the newest few thousand."""
        said = f"""
SELECT {COLUMNS} FROM (SELECT * FROM schedules s {_all_of(self._bounds)} {NEWEST} LIMIT {FEW}) s
{_all_of(self._terms)} {NEWEST} LIMIT {self._put(limit)}
"""  # noqa: S608 - made of constants
        return said, self._arguments

    def all_met(self, limit: int) -> tuple[str, list[object]]:
        """The first so many, when all that match have been found by the one index and sorted."""
        said = f"""
WITH met AS MATERIALIZED (SELECT s.created_at, s.id FROM schedules s {_all_of(self._terms + self._bounds)})
SELECT {COLUMNS} FROM schedules s
 WHERE s.id = ANY(ARRAY(SELECT s.id FROM met s {NEWEST} LIMIT {self._put(limit)})) {NEWEST}
"""  # noqa: S608 - made of constants
        return said, self._arguments

    def _put(self, value: object) -> str:
        self._arguments.append(value)
        return f"${len(self._arguments)}"


def _walked(wanted: Filter) -> str | None:
    """The one term whose index is used."""
    still = wanted.state in (Standing.PAUSED, Standing.ENDED)
    order = ("name", "owner", "tag", *(("state", "job_type") if still else ("job_type", "state")))
    return next((name for name in order if getattr(wanted, name) is not None), None)


def _all_of(terms: list[str]) -> str:
    return "WHERE " + " AND ".join(terms or ["true"])


_TERMS: Final = {
    "name": "s.name = {}::text",
    "owner": "s.owner = {}::text AND s.owner <> ''",
    "tag": "s.tags @> ARRAY[{}::text]",
    "state": "s.state = {}::text",
    "job_type": "s.job_type = {}::text",
}
