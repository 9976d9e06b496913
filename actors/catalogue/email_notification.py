"""`email_notification`: what send_email does, for who calls `to` the recipient and has no subject."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from actors.job import job
from actors.trades.mailing.email import MOST_RETRIES, Email, Letter, Mailed, mailed
from actors.trades.mailing.fields import Subject, To


class ToRecipient(BaseModel):
    """The head of a mail, in other words."""

    recipient: To
    subject: Subject = "Notification"


class Notification(Letter, ToRecipient):
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

    def email(self) -> Email:
        """The same in the other words."""
        return Email(to=self.recipient, **self.model_dump(exclude={"recipient"}))


@job("email_notification", timeout=300, max_retries=MOST_RETRIES)
async def email_notification(payload: Notification) -> Mailed:
    """Send a mail, as send_email does, to the recipient."""
    return await mailed(payload.email(), "recipient")
