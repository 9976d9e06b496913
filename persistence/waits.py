"""What it means in SQL that a job waits; apart from the tables, so that a worker need not load SQLAlchemy for it."""

from __future__ import annotations

WAITING = "state IN ('scheduled', 'queued', 'retrying')"
# since when its message should have been at hand: when it was due, or when it was sent late
WAITS_SINCE = "greatest(sent_at, coalesce(next_attempt_at, scheduled_for, created_at))"
