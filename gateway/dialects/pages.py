"""Their lists of jobs: other names for our filters, and pages by number with totals.

They cost more than a cursor, because Postgres walks up to the page and counts what matches; so how far is bounded, and
each says where our own pages go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta

from gateway.answers.jobs import JobList, job
from gateway.dialects.names import PAGES, PARAMETERS
from gateway.entrance import cursor, query
from gateway.rest.jobs import FILTERS, Jobs
from gateway.rest.respond import respond
from persistence.questions import reads
from persistence.questions.pages import Filter
from persistence.store.database import Database
from wire.errors import Refused

MOST_SKIPPED: Final = 100_000  # 5 to 30 ms of index, as measured at 500,000 jobs; whoever goes further has a cursor


class NumberedJobs(JobList, frozen=True):
    """A page by its number; `next_cursor` begins where it ends."""

    total: Annotated[int, Meta(description="Jobs on all pages")]
    page: int
    per_page: int
    pages: int
    total_pages: Annotated[int, Meta(description="The same as `pages`")]


class Pages:
    """Lists of jobs in their words."""

    def __init__(self, database: Database, jobs: Jobs, page_size: int) -> None:
        self._database, self._jobs, self._page_size = database, jobs, page_size

    @staticmethod
    def asked_for(request: web.Request) -> bool:
        """Whether the query is in their words."""
        return not request.query.keys().isdisjoint((*PARAMETERS, *PAGES))

    async def listed(self, request: web.Request, *, numbered: bool) -> web.Response:
        """The page; without a word to the contrary it is `numbered` or not."""
        wanted = _renamed(query.read(request, _READERS))
        by_cursor = not wanted.keys().isdisjoint(("limit", "cursor"))
        if (numbered and not by_cursor) or not wanted.keys().isdisjoint(PAGES):
            return await self._numbered(wanted)
        return await self._jobs.listed(wanted)

    async def _numbered(self, wanted: dict[str, Any]) -> web.Response:
        for name in ("limit", "cursor"):
            if name in wanted:
                raise Refused(name, "and a page's number both say what is on it", "send page and per_page, or neither")
        page: int = wanted.pop("page", 1)
        size: int = wanted.pop("per_page", self._page_size)
        if (page - 1) * size > MOST_SKIPPED:
            remedy = "narrow the list, or go on with next_cursor as cursor, without page"
            raise Refused("page", f"{page} begins behind the first {MOST_SKIPPED} jobs", remedy)
        skipped = (page - 1) * size
        found, total = await reads.numbered_page(self._database, Filter(**wanted), size, skipped)
        next_cursor = cursor.write(found[-1]) if found and skipped + len(found) < total else None
        pages = -(-total // size)
        return respond(NumberedJobs([job(one) for one in found], next_cursor, total, page, size, pages, pages))


def _renamed(read: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for name, value in read.items():
        ours = PARAMETERS.get(name, name)
        if wanted.setdefault(ours, value) != value:
            both = " and as ".join(sorted(str(said) for said in (wanted[ours], value)))
            raise Refused(ours, f"is asked for as {both}", f"send one {ours}")
    return wanted


def _page(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 9 and int(value)):
        raise Refused(name, f"{value[:60]!r} is not a page's number", "pages are counted from 1")
    return int(value)


def _type(name: str, value: str) -> str:
    try:
        return query.job_type(name, value)
    except Refused as e:
        raise Refused(name, e.problem, e.remedy) from None


_READERS: Final[Mapping[str, query.Reader]] = {
    **FILTERS, "status": query.state, "status_filter": query.state, "job_type": _type,
    "page": _page, "per_page": query.limit,
}  # fmt: skip
