"""The tables of articles, as SQLAlchemy sees them.

`articles` is what stands at an address, `article_texts` what was read, by its hash.  A text that nobody refers to any
more goes only after a day of that: see forget.py.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON, UUID

from persistence.tables import metadata, since, time

articles = Table(
    "articles",
    metadata,
    Column("id", UUID, primary_key=True),  # derived from the url
    Column("url", Text, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    time("fetched_at"),  # when it last was as the row says
    Column("body_hash", LargeBinary),
    Column("content_hash", LargeBinary),
    Column("fetching_job", UUID),
    time("fetching_until"),
    since(),
    Index("articles_of_text", "content_hash", postgresql_where=text("content_hash IS NOT NULL")),
    Index("articles_aged", text("coalesce(fetched_at, created_at)")),
)

article_texts = Table(
    "article_texts",
    metadata,
    Column("content_hash", LargeBinary, primary_key=True),
    Column("title", Text),
    Column("author", Text),
    Column("published_at", Text),  # as far as the document says: a date, or an instant
    Column("language", Text),
    Column("text", Text, nullable=False),
    Column("images", JSON, nullable=False),
    Column("links", JSON, nullable=False),
    Column("word_count", Integer, nullable=False),
    Column("quality", JSON, nullable=False),
    since("looked_at"),  # when retention last asked who refers to it
    time("idle_since"),  # nobody did
    Index("article_texts_looked_at", "looked_at"),
)
