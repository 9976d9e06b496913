"""How many messages this process should hold unacked.  Pure.

Enough to keep its slots busy while a batch is claimed and recorded, and no more: what is prefetched cannot be overtaken
by a job of higher priority.  So: the slots that are really used, and what the lane finishes in 50 ms.
"""

from __future__ import annotations

from typing import Final

AHEAD_SECONDS: Final = 0.05
MOST: Final = 500
MOST_BYTES: Final = 64 * 1024 * 1024  # 500 messages of the largest size would hold 128 MB


def wanted(concurrency: int, per_second: float, average_bytes: float) -> int:
    """The prefetch for this speed."""
    by_speed = concurrency + round(per_second * AHEAD_SECONDS)
    by_bytes = int(MOST_BYTES / max(average_bytes, 1.0))
    return max(1, min(by_speed, max(MOST, concurrency), by_bytes))


def worth_changing(now: int, then: int) -> bool:
    """A change costs a new subscription, so only a factor of two is worth it."""
    return then >= 2 * now or 2 * then <= now
