"""What a job has found and not yet seen, what it has seen, and what became of that.

Each document is told in one statement with what it links to: either both are known afterwards or neither is.  An
address is on the frontier once, whatever leads to it, and beyond as many documents as were wanted none is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from persistence.store.database import Database
from wire.identity import id_from_key

Kind = Literal["document", "sitemap"]
SEEN: Final = -1  # the depth of an address that nobody has to see any more
MOST_SITEMAPS: Final = 100  # of a frontier: a list of lists may be endless


class TakenOver(Exception):
    """Another attempt has the frontier by now."""


@dataclass(frozen=True, slots=True)
class Found:
    """An address that leads on."""

    url: str  # in its one spelling
    depth: int
    kind: Kind = "document"


@dataclass(frozen=True, slots=True)
class Next:
    """An address to be seen."""

    ordinal: int
    url: str
    depth: int
    kind: Kind
    tries: int


@dataclass(frozen=True, slots=True)
class Seen:
    """An address, and what became of it."""

    url: str
    depth: int
    kind: Kind
    state: Literal["waiting", "read", "same", "failed"]
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How far it has come."""

    documents: int
    done: int
    capped: bool


_OPEN = """
INSERT INTO frontiers AS f (job_id, lease) VALUES ($1, $2)
    ON CONFLICT (job_id) DO UPDATE SET lease = excluded.lease WHERE f.lease <= excluded.lease
RETURNING found
"""

# $3 the address that was seen (0: none yet), $6 where it led in the end
_TELL = f"""
WITH mine AS MATERIALIZED (
  SELECT found, documents FROM frontiers WHERE job_id = $1 AND lease = $2 FOR UPDATE
), told AS (
  UPDATE frontier_addresses a
     SET told = $5::json, tries = a.tries + 1,
         state = CASE WHEN $4 = 'read' AND EXISTS (SELECT FROM frontier_addresses o
                                                    WHERE o.job_id = $1 AND o.address_id = $6 AND o.ordinal <> $3
                                                      AND o.state IN ('read', 'same')) THEN 'same' ELSE $4 END
    FROM mine WHERE a.job_id = $1 AND a.ordinal = $3 AND a.state = 'waiting'
), led AS (
  UPDATE frontier_addresses a SET state = 'same' FROM mine
   WHERE $4 = 'read' AND a.job_id = $1 AND a.address_id = $6 AND a.ordinal <> $3 AND a.state = 'waiting'
), new AS MATERIALIZED (
  SELECT g.*, row_number() OVER (PARTITION BY g.kind, g.depth < 0 ORDER BY g.nth) AS nth_of_kind
    FROM mine, unnest($7::uuid[], $8::text[], $9::text[], $10::smallint[])
         WITH ORDINALITY AS g(address_id, url, kind, depth, nth)
   WHERE NOT EXISTS (SELECT FROM frontier_addresses a WHERE a.job_id = $1 AND a.address_id = g.address_id)
), wanted AS MATERIALIZED (
  SELECT n.*, row_number() OVER (ORDER BY n.nth) AS place FROM new n, mine
   WHERE n.depth < 0 OR nth_of_kind <= CASE kind WHEN 'document' THEN $11 - mine.documents ELSE {MOST_SITEMAPS} END
), added AS (
  INSERT INTO frontier_addresses (job_id, ordinal, address_id, url, kind, depth, state)
  SELECT $1, mine.found + w.place, w.address_id, w.url, w.kind, w.depth,
         CASE WHEN w.depth < 0 THEN 'same' ELSE 'waiting' END
    FROM wanted w, mine
)
UPDATE frontiers f
   SET found = f.found + (SELECT count(*) FROM wanted),
       documents = f.documents + (SELECT count(*) FROM wanted WHERE kind = 'document' AND depth >= 0),
       capped = f.capped OR (SELECT count(*) FROM new) > (SELECT count(*) FROM wanted)
  FROM mine WHERE f.job_id = $1
RETURNING f.documents
"""  # noqa: S608 - made of a constant

_NEXT = """
SELECT ordinal, url, depth, kind, tries FROM frontier_addresses
 WHERE job_id = $1 AND state = 'waiting' ORDER BY tries, ordinal LIMIT 1
"""

_SIZE = """
SELECT f.documents, f.capped,
       (SELECT count(*) FROM frontier_addresses a
         WHERE a.job_id = $1 AND a.kind = 'document' AND a.state <> 'waiting' AND a.depth >= 0) AS done
  FROM frontiers f WHERE f.job_id = $1
"""

_ALL = "SELECT url, depth, kind, state, told FROM frontier_addresses WHERE job_id = $1 AND depth >= 0 ORDER BY ordinal"

_CLOSE = """
WITH gone AS (DELETE FROM frontiers WHERE job_id = $1 AND lease = $2 RETURNING job_id)
DELETE FROM frontier_addresses a USING gone WHERE a.job_id = gone.job_id
"""


class Frontier:
    """Of one attempt."""

    def __init__(self, database: Database, job_id: UUID, lease: int) -> None:
        self._database, self._job, self._lease = database, job_id, lease

    async def open(self) -> bool:
        """Take it from the attempts before; whether anything has been found already."""
        row = await self._database.fetch_one(_OPEN, self._job, self._lease)
        return bool(self._ours(row)["found"])

    async def begin(self, found: Sequence[Found], most: int) -> None:
        """Where it begins."""
        await self._tell(0, "read", {}, found=found, most=most)

    async def next(self) -> Next | None:
        """What has been tried least, in the order in which it was found."""
        row = await self._database.fetch_one(_NEXT, self._job)
        return Next(**row) if row else None

    async def read(self, ordinal: int, told: Mapping[str, Any], led_to: str, links: Sequence[Found], most: int) -> None:
        """What was seen, where its address led in the end, and what it links to."""
        await self._tell(ordinal, "read", told, led_to=led_to, found=links, most=most)

    async def failed(self, ordinal: int, error: str, *, again: bool) -> None:
        """It could not be seen: for good, or until it has its next try behind all that wait."""
        await self._tell(ordinal, "waiting" if again else "failed", {"error": error})

    async def size(self) -> Size:
        row = await self._database.fetch_one(_SIZE, self._job)
        return Size(**row) if row else Size(0, 0, capped=False)

    async def all(self) -> list[Seen]:
        """In the order in which it was found."""
        rows = await self._database.fetch(_ALL, self._job)
        return [Seen(**{**row, "told": msgspec.json.decode(row["told"] or "{}")}) for row in rows]

    async def close(self) -> None:
        """Forget it: whoever does the job again begins anew."""
        await self._database.fetch(_CLOSE, self._job, self._lease)

    async def _tell(
        self,
        ordinal: int,
        state: str,
        told: Mapping[str, Any],
        *,
        led_to: str | None = None,
        found: Sequence[Found] = (),
        most: int = 0,
    ) -> None:
        known = {one.url: one for one in reversed(found)}  # each once, as it came first
        if led_to is not None:
            known[led_to] = Found(led_to, SEEN)
        ones = [known[url] for url in dict.fromkeys(one.url for one in (*found, *known.values()))]
        row = await self._database.fetch_one(
            _TELL, self._job, self._lease, ordinal, state, msgspec.json.encode(told).decode(),
            _id(led_to) if led_to else None, [_id(one.url) for one in ones], [one.url for one in ones],
            [one.kind for one in ones], [one.depth for one in ones], most,
        )  # fmt: skip
        self._ours(row)

    def _ours(self, row: Mapping[str, Any] | None) -> Mapping[str, Any]:
        if row is None:
            raise TakenOver("another attempt goes on with what this one has found")
        return row


def _id(url: str) -> UUID:
    return id_from_key("frontier", url)
