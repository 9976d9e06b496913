"""Loaded by a worker that has a mail server."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from warren import Attachment, Mail, context, job, send_mail


class Wanted(BaseModel):
    to: list[str]
    artifact: str | None = None


@job("mails", queue="mails", timeout=60, max_retries=0)
async def mails(payload: Wanted) -> dict[str, Any]:
    """Send what another job has saved, if one has."""
    attached = []
    if payload.artifact:
        attached = [Attachment("a.html", "text/html", await context().read_artifact(payload.artifact))]
    sent = await send_mail(Mail(to=payload.to, subject="Grüße", text="Hello", attachments=attached))
    return {"message_id": sent.message_id, "accepted": sent.accepted, "where": sent.where}
