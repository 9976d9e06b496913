"""How many messages this process should hold unacked.  Pure.

Enough to keep its slots busy while a batch is claimed and recorded, and no more: what is prefetched cannot be overtaken
by a job of higher priority.  So: the slots that are really used, and what the lane finishes in 80 ms.  That is a batch
that is claimed, one that runs, one that is recorded, and one on its way (with 50 ms the batches of quick jobs were a
quarter smaller).
"""

from __future__ import annotations

from typing import Final

AHEAD_SECONDS: Final = 0.08
GROWTH: Final = 1.25  # with a factor of two it stopped at half of what was wanted
MOST: Final = 500
MOST_BYTES: Final = 64 * 1024 * 1024  # 500 messages of the largest size would hold 128 MB


def wanted(concurrency: int, per_second: float, average_bytes: float) -> int:
    """The prefetch for this speed."""
    by_speed = concurrency + round(per_second * AHEAD_SECONDS)
    by_bytes = int(MOST_BYTES / max(average_bytes, 1.0))
    return max(1, min(by_speed, max(MOST, concurrency), by_bytes))


def worth_changing(now: int, then: int) -> bool:
    """A change costs a new subscription.  A window that is too small costs more, with every batch; see GROWTH."""
    return then >= GROWTH * now or 2 * then <= now
