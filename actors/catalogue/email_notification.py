"""`email_notification`: what send_email does, for who calls `to` the recipient and has no subject."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from actors.job import job
from actors.trades.mailing.email import MOST_RETRIES, Email, Mailed, Rate, mailed
from actors.trades.mailing.fields import Answers, Copies, Files, Hidden, Html, Subject, Text, To


class Notification(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "recipient": "user@company.com",
                    "subject": "Weekly Report Ready",
                    "body": "Your weekly report has been generated and is ready for review.",
                }
            ]
        },
    )

    recipient: To
    subject: Subject = "Notification"
    body: Text = ""
    html: Html = None
    cc: Copies = Field(default_factory=list)
    bcc: Hidden = Field(default_factory=list)
    reply_to: Answers = None
    attachments: Files = Field(default_factory=list)
    failure_rate: Rate = 0

    def email(self) -> Email:
        """The same in the other words."""
        return Email(to=self.recipient, **self.model_dump(exclude={"recipient"}))


@job("email_notification", timeout=300, max_retries=MOST_RETRIES)
async def email_notification(payload: Notification) -> Mailed:
    """Send a mail, as send_email does, to the recipient."""
    return await mailed(payload.email(), "recipient")
