"""The tables of frontiers, as SQLAlchemy sees them: a row for each, and one for each address on it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON, UUID

from persistence.tables import metadata, since

frontiers = Table(
    "frontiers",
    metadata,
    Column("job_id", UUID, primary_key=True),
    Column("lease", Integer, nullable=False),  # whose attempt may write
    Column("found", Integer, nullable=False, server_default="0"),  # the last ordinal that was given
    Column("documents", Integer, nullable=False, server_default="0"),  # of them, those that count
    Column("capped", Boolean, nullable=False, server_default="false"),  # more was found than was wanted
    since("looked_at"),  # when retention last asked for its job
    Index("frontiers_looked_at", "looked_at"),
)

# state: waiting, read, same (another address of what was read), failed
frontier_addresses = Table(
    "frontier_addresses",
    metadata,
    Column("job_id", UUID, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("address_id", UUID, nullable=False),  # derived from the url
    Column("url", Text, nullable=False),
    Column("kind", Text, nullable=False),  # document or sitemap
    Column("depth", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("told", JSON),
    Index("frontier_addresses_once", "job_id", "address_id", unique=True),
    Index("frontier_addresses_next", "job_id", "tries", "ordinal", postgresql_where=text("state = 'waiting'")),
)
