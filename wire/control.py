"""What travels on the fanout exchange `control`: hints to all workers, one small JSON object a message.

    {"do": "cancel", "job_id": "019a…", "lease": 3}
    {"do": "beat", "session": null}

A hint only makes things sooner: the row is marked before it is sent, and the heartbeat's answer tells the worker again.
So it may be lost, come late or come twice.  `lease` is the start that is meant, or null for whichever runs: a late hint
must not hit a job that was sent again by hand.  `beat` says that there are orders (something was paused, or resumed, or
a worker is to drain): let the heartbeat ask now, in every process or in one.  What a reader does not know it ignores,
so that versions may differ.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from wire.message import Outgoing
from wire.topology import CONTROL

CANCEL: Final = "cancel"
BEAT: Final = "beat"
MAX_BYTES: Final = 4_096  # ours have a hundred; who sends more means somebody else


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that workers had better know now."""

    do: Literal["cancel"]
    job_id: UUID
    lease: int | None = None

    def means(self, lease: int) -> bool:
        """Whether it is about this start of its job."""
        return self.lease is None or self.lease == lease


@dataclass(frozen=True, slots=True)
class Beat:
    """There are orders: ask for them now."""

    session: UUID | None = None

    def means(self, session: UUID) -> bool:
        """Whether this process is meant."""
        return self.session is None or self.session == session


def beat_hint(session: UUID | None = None) -> Outgoing:
    """Ask for your orders now: all workers, or the one with this session."""
    named = None if session is None else str(session)
    return Outgoing(CONTROL, "", json.dumps({"do": BEAT, "session": named}).encode(), named or BEAT, BEAT, 0, {})


def cancel_hint(job_id: UUID, lease: int | None = None) -> Outgoing:
    """Interrupt this job if you run it: its cancel was asked for, or its row is gone."""
    body = {"do": CANCEL, "job_id": str(job_id), "lease": lease}
    return Outgoing(CONTROL, "", json.dumps(body).encode(), str(job_id), CANCEL, 0, {})


def read(body: bytes) -> Hint | Beat | None:
    """The hint in these bytes; None for what this version does not know."""
    if len(body) > MAX_BYTES:
        return None
    try:
        said = json.loads(body)
        if not isinstance(said, dict) or said.get("do") not in (CANCEL, BEAT):
            return None
        if said["do"] == BEAT:
            return Beat(None if said.get("session") is None else UUID(said["session"]))
        return Hint(CANCEL, UUID(said["job_id"]), _lease(said.get("lease")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _lease(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
