"""What a job's function finds in its process, beside its context: in a worker, and in its child processes."""

from __future__ import annotations

from actors.trades.mailing.post import Post
from actors.trades.outbound.guard import Guard
from wire.lifecycle import Service
from wire.settings import Settings


def surroundings(settings: Settings) -> list[Service]:
    """Each belongs to the loop on which it is started."""
    return [Guard(settings.outbound), Post(settings.mailing)]
