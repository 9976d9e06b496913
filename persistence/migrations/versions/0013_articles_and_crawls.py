"""Articles and crawls: what was last read at an address, and who asked for it

An address has one row, whose id derives from its one spelling, and which also holds the right to fetch it: two that
want it at once fetch it once.  What was read lies beside it under its hash, because ten thousand addresses may say the
same, and because a crawl keeps what was read for it when the address says something else by now.

A crawl is a batch with a list: one row for each address as it was asked for, in order.  What was fresh enough needs no
job and is written down at once; the others name the job that reads for them, several the same one where an address was
asked for twice.

Revision: 0013, after 0012
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ARTICLES = """
CREATE TABLE warren.articles (
  id uuid NOT NULL,
  url text NOT NULL,
  etag text,
  last_modified text,
  fetched_at timestamptz,
  body_hash bytea,
  content_hash bytea,
  fetching_job uuid,
  fetching_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT articles_pkey PRIMARY KEY (id)
)
"""

TEXTS = """
CREATE TABLE warren.article_texts (
  content_hash bytea NOT NULL,
  title text,
  author text,
  published_at text,
  language text,
  text text NOT NULL,
  images json NOT NULL,
  links json NOT NULL,
  word_count integer NOT NULL,
  quality json NOT NULL,
  looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  idle_since timestamptz,
  CONSTRAINT article_texts_pkey PRIMARY KEY (content_hash)
)
"""

CRAWLS = """
CREATE TABLE warren.crawls (
  id uuid NOT NULL,
  articles integer NOT NULL,
  cached integer NOT NULL,
  max_age_seconds double precision NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT crawls_pkey PRIMARY KEY (id)
)
"""

CRAWL_ARTICLES = """
CREATE TABLE warren.crawl_articles (
  crawl_id uuid NOT NULL,
  ordinal integer NOT NULL,
  url text NOT NULL,
  source text,
  category text,
  article_id uuid NOT NULL,
  job_id uuid,
  repeated boolean NOT NULL DEFAULT false,
  cached boolean NOT NULL DEFAULT false,
  content_hash bytea,
  read_at timestamptz,
  CONSTRAINT crawl_articles_pkey PRIMARY KEY (crawl_id, ordinal)
)
"""

INDEXES = {
    "articles_of_text": "articles (content_hash) WHERE content_hash IS NOT NULL",
    "articles_aged": "articles (coalesce(fetched_at, created_at))",
    "article_texts_looked_at": "article_texts (looked_at)",
    "crawls_aged": "crawls (created_at)",
    "crawl_articles_of_job": "crawl_articles (job_id) WHERE job_id IS NOT NULL",
    "crawl_articles_of_text": "crawl_articles (content_hash) WHERE content_hash IS NOT NULL",
    "crawl_articles_repeated": "crawl_articles (crawl_id) WHERE repeated",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for table in (ARTICLES, TEXTS, CRAWLS, CRAWL_ARTICLES):
        op.execute(table)
    for name, of in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON warren.{of}")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for table in ("crawl_articles", "crawls", "article_texts", "articles"):
        op.execute(f"DROP TABLE warren.{table}")
