"""Judge a foreign message: a submission with its type's defaults, or a dead letter that names the field.

The recorder and the workers judge alike, because each gets its own copy and either may be first.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from persistence.accepting.submission import Submission, fill
from persistence.declared import payloads
from persistence.declared.job_types import Catalogue
from persistence.letters.dead_letters import DeadLetter
from wire.agreement import read, reply_to
from wire.errors import Refused
from wire.message import Incoming
from wire.tracing import Trace

NAMES_TOLD: Final = 20


async def judge(message: Incoming, catalogue: Catalogue, now: datetime, max_bytes: int) -> Submission | DeadLetter:
    """What this message is to become."""
    try:
        return await submission_of(message, catalogue, now, max_bytes)
    except Refused as refusal:
        return DeadLetter(message, refusal.code, str(refusal))


async def submission_of(message: Incoming, catalogue: Catalogue, now: datetime, max_bytes: int) -> Submission:
    """The submission in this message, or Refused."""
    envelope = read(message, now=now, max_bytes=max_bytes)
    job_type = await catalogue.find(envelope.type, surely=True)
    if job_type is None:
        raise unknown_type(envelope.type, catalogue.names())
    payloads.check(envelope.payload, job_type)
    made = fill(envelope, job_type, message.body, Trace.entering(message.headers), now)
    asked = reply_to(message)
    return replace(made, reply_to=asked) if asked else made


def unknown_type(name: str, known: Sequence[str]) -> Refused:
    """The refusal of a type that no worker has registered."""
    near = difflib.get_close_matches(name, known, n=3)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    told = ", ".join(known[:NAMES_TOLD]) + (", …" if len(known) > NAMES_TOLD else "")
    remedy = f"{guess}known: {told}" if known else "no worker has registered a type yet: start one"
    return Refused("type", f"{name!r} is not a known job type", remedy, code="unknown_type")
