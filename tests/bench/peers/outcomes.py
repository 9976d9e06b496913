"""A table of outcomes for whoever brings none: one row a job, and when it was written."""

from __future__ import annotations

TABLE = """
CREATE TABLE IF NOT EXISTS outcomes
    (id text PRIMARY KEY, state text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())
"""
