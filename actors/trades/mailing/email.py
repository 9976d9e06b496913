"""A mail as a payload, and what became of it as a result: what the job types that send one have in common.

Everybody whom the server takes is mailed once: who was refused for now is tried again alone.  Who was refused for good
is told in the result; the job fails only if nobody was taken.
"""

from __future__ import annotations

import mimetypes
import random
import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from actors.configured import configured
from actors.context import context, progress
from actors.ends import PermanentError
from actors.trades.inputs.bring import bring
from actors.trades.mailing.failures import WrongMail
from actors.trades.mailing.fields import Answers, Copies, File, Files, Hidden, Html, Subject, Text, To, listed
from actors.trades.mailing.mail import Attachment, Mail, Sent
from actors.trades.mailing.send import send
from wire.slices.mailing import Mailing

MOST_RETRIES: Final = 8  # a server that is away for 8 minutes, or does not know us for an hour, costs no mail
Rate = Annotated[float, Field(ge=0, le=1, description="Share of attempts that fail before anything is sent")]


class Letter(BaseModel):
    """What stands below whom it is for and its subject."""

    body: Text = ""
    html: Html = None
    cc: Copies = Field(default_factory=list)
    bcc: Hidden = Field(default_factory=list)
    reply_to: Answers = None
    attachments: Files = Field(default_factory=list)
    failure_rate: Rate = 0


class ToSomebody(BaseModel):
    """The head of a mail."""

    to: To
    subject: Subject


class Email(Letter, ToSomebody):  # in this order the head's fields come first
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"to": "user@example.com", "subject": "Hello", "body": "Test email"}]},
    )


class Refused(BaseModel):
    """Somebody whom the server would not take."""

    address: str = Field(description="Of the payload's")
    code: int = Field(description="What the server said, in three digits")
    reply: str = Field(description="The rest of what it said")


class Mailed(BaseModel):
    """What became of the mail."""

    message_id: str = Field(description="In the mail's header; the same if an attempt should send it twice")
    accepted: list[str] = Field(description="Addresses that the server has taken it for")
    refused: list[Refused] = Field(description="Addresses that it refused for good")
    where: str = Field(description="The server that took it, or the file in the outbox folder")
    size_bytes: int = Field(description="Of the mail as it was sent, attachments and all")


class ChanceFailure(Exception):
    """The dice said so."""


async def mailed(email: Email, recipient: str = "to") -> Mailed:
    """Send it, once; `recipient` is what the payload calls `to`."""
    if random.random() < email.failure_rate:  # noqa: S311 - dice, not a secret
        raise ChanceFailure(f"attempt {context().attempt} failed by chance ({email.failure_rate:.0%})")
    attachments = [await _brought(one, place) for place, one in enumerate(email.attachments)]
    try:
        sent = await send(_mail(email, attachments))
    except WrongMail as e:
        field, _, rest = str(e).partition(":")
        raise PermanentError(f"payload.{re.sub('^to', recipient, field)}:{rest}") from None
    progress(1.0, _words(sent))
    return Mailed(
        message_id=sent.message_id,
        accepted=list(sent.accepted),
        refused=[Refused(address=one.address, code=one.code, reply=one.reply) for one in sent.refused],
        where=sent.where,
        size_bytes=sent.size_bytes,
    )


def _mail(email: Email, attachments: list[Attachment]) -> Mail:
    return Mail(
        to=listed(email.to), cc=listed(email.cc), bcc=listed(email.bcc), reply_to=email.reply_to,
        subject=email.subject, text=email.body, html=email.html, attachments=attachments,
    )  # fmt: skip


async def _brought(wanted: str | File, place: int) -> Attachment:
    source, name = (wanted, None) if isinstance(wanted, str) else (wanted.artifact, wanted.name)
    path = await bring(source, most_bytes=configured(Mailing).mail_max_bytes, field=f"payload.attachments.{place}")
    shown = name or path.name
    return Attachment(shown, mimetypes.guess_type(shown)[0] or "application/octet-stream", path)


def _words(sent: Sent) -> str:
    taken = f"{len(sent.accepted)} of {len(sent.accepted) + len(sent.refused)}"
    return f"taken for {taken}" if sent.refused else "taken"
