"""The tables of hosts, as SQLAlchemy sees them: a row a host, and one for each job with a turn there or in its line."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Identity, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from persistence.tables import metadata, since, time

hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),  # scheme, name and port
    Column("delay_seconds", Double, nullable=False),  # as the settings and its robots.txt want it
    Column("slowed_seconds", Double, nullable=False, server_default="0"),  # as its answers want it, if that is longer
    Column("takes_seconds", Double, nullable=False, server_default="0"),  # an answer, lately
    Column("concurrency", Integer, nullable=False),
    time("next_at", required=True),  # no request begins before
    since("visited_at"),
    Column("robots", Text),
    Column("robots_fault", Text),  # why it could not be read: then nothing is allowed
    time("robots_until"),  # null: never asked for
    Index("hosts_visited", "visited_at"),
)

# until: null while it stands in line.  With a turn: under way, or called and expected at starts_at.
host_turns = Table(
    "host_turns",
    metadata,
    Column("host", Text, primary_key=True),
    Column("job_id", UUID, primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("lease", Integer, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("in_place", Boolean, nullable=False),  # it waits in its worker, and is not called by a message
    Column("under_way", Boolean, nullable=False, server_default="false"),
    time("starts_at"),
    time("until"),
    Index(
        "host_turns_in_line", "host", text("in_place DESC"), text("priority DESC"), "seq",
        postgresql_where=text("until IS NULL"),
    ),
    Index("host_turns_taken", "host", "until", postgresql_where=text("until IS NOT NULL")),
    Index("host_turns_of_job", "job_id"),
)  # fmt: skip
