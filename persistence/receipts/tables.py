"""The table of receipts, as SQLAlchemy sees it: a row for each mail of a job that a server has taken for somebody."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from persistence.tables import metadata, since

receipts = Table(
    "receipts",
    metadata,
    Column("job_id", UUID, primary_key=True),
    Column("mail", Text, primary_key=True),  # which of the job's
    Column("accepted", ARRAY(Text), nullable=False),  # addresses
    since("looked_at"),  # when retention last asked for its job
    Index("receipts_looked_at", "looked_at"),
)
