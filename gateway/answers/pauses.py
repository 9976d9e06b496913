"""What the gateway answers about a queue or a type that stands still."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from persistence.declared import pauses


class Pause(Struct, frozen=True):
    """Since when it stands still, and what was said about it."""

    paused_at: datetime
    paused_by: str
    note: str | None


def pause(kind: pauses.Kind, name: str, among: Sequence[pauses.Pause]) -> Pause | None:
    found = next((one for one in among if (one.kind, one.name) == (kind, name)), None)
    return None if found is None else Pause(found.paused_at, found.paused_by, found.note)
