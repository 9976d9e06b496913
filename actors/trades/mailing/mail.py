"""A mail as a job says it, and what became of it.

Says nothing of how it is sent; compose.py judges it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str  # as the reader sees it, never a path
    content_type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Mail:
    """What a job wants to send; an address is `ada@example.org` or `Ada <ada@example.org>`."""

    to: Sequence[str]
    subject: str
    text: str = ""
    html: str | None = None
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: str | None = None
    attachments: Sequence[Attachment] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = ""  # tells the mails of one job apart: each needs another one


@dataclass(frozen=True, slots=True)
class Refusal:
    """A recipient that the server would not take."""

    address: str
    code: int
    reply: str

    @property
    def crowded(self) -> bool:
        """Too many at once: it may be among the next ones (RFC 5321 4.5.3.1.10 has 552 mean that too)."""
        return self.code in (452, 552)

    @property
    def permanent(self) -> bool:
        return self.code >= 500 and not self.crowded

    def __str__(self) -> str:
        return f"{self.address}: {self.code} {self.reply}"


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a mail that somebody has taken."""

    message_id: str
    accepted: tuple[str, ...]  # addresses
    refused: tuple[Refusal, ...]  # for good
    where: str  # the server's host and port, or the path of the file
    size_bytes: int
