"""`send_email`: one mail to whoever is named; see actors/trades/mailing/email.py."""

from __future__ import annotations

from actors.job import job
from actors.trades.mailing.email import MOST_RETRIES, Email, Mailed, mailed


@job("send_email", timeout=300, max_retries=MOST_RETRIES)
async def send_email(payload: Email) -> Mailed:
    """Send a mail: text, HTML, attachments; by the SMTP server, or into the outbox folder if none is set up."""
    return await mailed(payload)
