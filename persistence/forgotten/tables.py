"""The table of what was forgotten, as SQLAlchemy sees it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, SmallInteger, Table, Text

from persistence.tables import metadata

forgotten_jobs = Table(
    "forgotten_jobs",
    metadata,
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("type", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("ran_class", SmallInteger, primary_key=True, autoincrement=False),  # see classes.py
    Column("jobs", BigInteger, nullable=False),
    Column("retries", BigInteger, nullable=False),
    Column("longest", Double),
)
