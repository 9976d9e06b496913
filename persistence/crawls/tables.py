"""The tables of crawls, as SQLAlchemy sees them.

A crawl's id is that of the batch of its jobs.  An article of it is answered (`content_hash` is there) or has a job that
will answer it; one that is asked for twice has the job of the first time.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from persistence.tables import metadata, since, time

crawls = Table(
    "crawls",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("articles", Integer, nullable=False),
    Column("cached", Integer, nullable=False),  # answered when it was made
    Column("max_age_seconds", Double, nullable=False),
    since(),
    Index("crawls_aged", "created_at"),
)

crawl_articles = Table(
    "crawl_articles",
    metadata,
    Column("crawl_id", UUID, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("url", Text, nullable=False),  # as it was asked for
    Column("source", Text),
    Column("category", Text),
    Column("article_id", UUID, nullable=False),
    Column("job_id", UUID),
    Column("repeated", Boolean, nullable=False, server_default="false"),  # another one before it has this job too
    Column("cached", Boolean, nullable=False, server_default="false"),
    Column("content_hash", LargeBinary),
    time("read_at"),
    Index("crawl_articles_of_job", "job_id", postgresql_where=text("job_id IS NOT NULL")),
    Index("crawl_articles_of_text", "content_hash", postgresql_where=text("content_hash IS NOT NULL")),
    Index("crawl_articles_repeated", "crawl_id", postgresql_where=text("repeated")),
)
