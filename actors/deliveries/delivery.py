"""One delivery, and the channel that it must be settled on: the broker's, or nobody's if it was taken from its row.

What every step asks of its message (which job, which type, which run) is read once, when it arrives.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from persistence.store.ids import read_id
from wire import strict_json
from wire.agreement import named_type
from wire.errors import Refused
from wire.message import Incoming
from wire.tracing import NOWHERE, Trace

NO_CHANNEL: Final = -1  # nothing to settle


@dataclass(slots=True, eq=False)
class Delivery:
    """A message with its tag; the tag means nothing on another channel."""

    message: Incoming
    tag: int
    channel: int  # counts the channels of this process
    arrived: float = field(default_factory=time.monotonic)
    asked: int = 0  # how often a claim gave it no answer
    claimed_by: bytes = b""  # a link to the claim's span, where spans are recorded
    _brought: Trace | None = field(init=False, default=NOWHERE)
    _read: Any = field(init=False, default=None)  # the body, where that was read ahead
    job_id: UUID | None = field(init=False)  # None: the message names no id that a job could have
    type: str = field(init=False)  # "": it names none
    run: int | None = field(init=False)  # None: it came by the public door

    def __post_init__(self) -> None:
        message = self.message
        self.job_id, self.type, self.run = _id(message.message_id), named_type(message) or "", message.run

    @property
    def brought(self) -> Trace | None:
        """The place that our own message brings; a stranger's is in the row, as it was judged at the door."""
        if self._brought is NOWHERE:  # not looked at yet
            self._brought = None if self.run is None else Trace.of(self.message.headers)
        return self._brought

    def read_ahead(self) -> None:
        """Read the body now, because its job may start in a moment; what is wrong with it is told when it starts."""
        with contextlib.suppress(Refused):
            self._read = strict_json.parse(self.message.body)

    def read(self) -> Any:
        """What the body says, once; Refused when it is no JSON."""
        found, self._read = self._read, None
        return strict_json.parse(self.message.body) if found is None else found

    @property
    def in_turn(self) -> bool:
        """Whether the broker gave it out; a neglected job is taken from its row, before all that wait before it."""
        return self.channel != NO_CHANNEL


def _id(text: str | None) -> UUID | None:
    try:
        return read_id(text) if text else None
    except ValueError:
        return None
