"""What a worker and a child process say to each other.

Each message names the attempt that it is about by its number in the life of this process, so that a thread which goes
on after its attempt's end says nothing about the next.  A question has a number of its own, by which its answer comes.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import msgspec

from persistence.accepting.submission import Submission
from persistence.hosts.turns import Asking, Leaving
from wire.tracing import Trace

Kind = Literal["permanent", "retry_after", "snooze", "again", "refused", "cancelled", "other"]


class Told(msgspec.Struct, frozen=True, array_like=True):
    """An error, as it crosses."""

    kind: Kind  # what the engine has to know of it
    type: str
    words: str
    stack: str | None = None
    after: float | None = None  # seconds, of one that names a wait
    refused: tuple[str, str, str, str] | None = None  # field, problem, remedy, code


class _About(msgspec.Struct, frozen=True, array_like=True):
    number: int  # of the attempt


class Run(_About, frozen=True, tag="run"):
    """Run the function of this job, once."""

    job_id: UUID
    job_type: str
    queue: str
    attempt: int
    max_retries: int
    priority: int
    lease: int
    trace: Trace
    headers: dict[str, Any]  # plain ones
    body: bytes  # of its message
    payload: bytes  # JSON
    most_bytes: int  # of memory


class Stop(_About, frozen=True, tag="stop"):
    """Somebody wants it to end."""


class Answer(_About, frozen=True, tag="answer"):
    """To a question: MessagePack of what was asked for, or the error."""

    call: int
    value: msgspec.Raw = msgspec.Raw(b"\xc0")
    error: Told | None = None


class More(_About, frozen=True, tag="more"):
    """The next piece of what is being saved."""

    call: int


class Leave(msgspec.Struct, frozen=True, array_like=True, tag="leave"):
    """There is nothing more to do."""


class Ready(msgspec.Struct, frozen=True, array_like=True, tag="ready"):
    """The job modules are imported; or why not."""

    trouble: str | None = None


class Progress(_About, frozen=True, tag="progress"):
    fraction: float | None
    note: str | None


class Line(_About, frozen=True, tag="line"):
    """It has logged this, encoded as attempts/capture.py does."""

    text: bytes


class Judge(_About, frozen=True, tag="judge"):
    """May this job be submitted?  The answer is its submission."""

    call: int
    envelope: bytes
    checked: bool


class Accept(_About, frozen=True, tag="accept"):
    """Accept it now.  The answer is the id of the job that stands."""

    call: int
    submission: Submission
    first_stands: bool


class Save(_About, frozen=True, tag="save"):
    """Save an artifact, whose pieces are asked for.  The answer is the artifact."""

    call: int
    name: str
    content_type: str


class Read(_About, frozen=True, tag="read"):
    """Read an artifact into the attempt's folder.  The answer is the file."""

    call: int
    id: UUID
    field: str
    most_bytes: int | None


class Folder(_About, frozen=True, tag="folder"):
    """Where is the attempt's folder?  The answer is its path; it is made."""

    call: int


class Come(_About, frozen=True, tag="come"):
    """May a host be asked?  The answer is the turn."""

    call: int
    asking: Asking


class Gone(_About, frozen=True, tag="gone"):
    """A request to a host has ended.  The answer is how it is asked from now on."""

    call: int
    leaving: Leaving


class Piece(_About, frozen=True, tag="piece"):
    """Of what is being saved; an empty one is the end."""

    call: int
    content: bytes


class Drop(_About, frozen=True, tag="drop"):
    """Nobody waits for this answer any more."""

    call: int


class Returned(_About, frozen=True, tag="returned"):
    """The function has returned."""

    result: str | None  # JSON
    children: list[Submission] = []
    leaves: bool = False  # something behind that only ends with its process


class Unkept(_About, frozen=True, tag="unkept"):
    """It has returned what cannot be kept."""

    because: str
    leaves: bool = False


class Raised(_About, frozen=True, tag="raised"):
    """It has raised."""

    error: Told
    leaves: bool = False


Ended = Returned | Unkept | Raised
ToChild = Run | Stop | Answer | More | Leave
ToWorker = (
    Ready | Progress | Line | Judge | Accept | Save | Read | Folder | Come | Gone | Piece | Drop
    | Returned | Unkept | Raised
)  # fmt: skip

to_child: Any = msgspec.msgpack.Decoder(ToChild).decode
to_worker: Any = msgspec.msgpack.Decoder(ToWorker).decode
