"""What an actor raises to say how its attempt ended, beside returning."""

from __future__ import annotations

from datetime import timedelta

from wire.fields import LONGEST_WAIT


class PermanentError(Exception):
    """Trying again cannot help: the job fails at once, without retry."""


class RetryAfter(Exception):
    """Try again after this long (an HTTP 429 with its header, a lock that somebody holds); the attempt is counted."""

    def __init__(self, after: float | timedelta, because: str = "") -> None:
        self.after = _seconds(after)
        super().__init__(because or f"asked to be tried again after {self.after.total_seconds():g} s")


class Snooze(Exception):
    """Not my turn yet: come back after this long; no attempt is burned."""

    def __init__(self, after: float | timedelta, because: str = "") -> None:
        self.after = _seconds(after)
        super().__init__(because or f"snoozed for {self.after.total_seconds():g} s")


def _seconds(after: float | timedelta) -> timedelta:
    duration = after if isinstance(after, timedelta) else timedelta(seconds=after)
    if not timedelta(0) <= duration <= LONGEST_WAIT:
        raise ValueError(f"the wait must be 0 s to {LONGEST_WAIT.days} days, got {duration}")
    return duration
