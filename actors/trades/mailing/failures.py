"""What can become of a mail that was not sent; in the words of whoever sent it, never with a password in them."""

from __future__ import annotations

from typing import Final

from actors.context import current
from actors.ends import PermanentError, RetryAfter

FIRST_WAIT_SECONDS: Final = 30.0  # a server that does not know us yet (greylisting) mostly wants a few minutes
LONGEST_WAIT_SECONDS: Final = 900.0


class MailRefused(PermanentError):
    """Nobody will ever take this mail: it is wrong, or the server has refused it for good."""


class WrongMail(MailRefused):
    """It is wrong as it stands: begins with the field that is."""


class NotTaken(RetryAfter):
    """The server would not take it now; the waits grow from half a minute to a quarter of an hour."""

    def __init__(self, because: str) -> None:
        job = current.get(None)
        earlier = min(job.attempt - 1, 10) if job else 0
        super().__init__(min(FIRST_WAIT_SECONDS * 2**earlier, LONGEST_WAIT_SECONDS), because)


class ServerAway(Exception):
    """No server, or none that answers; tried again as any failure is."""


class InDoubt(Exception):
    """The mail was handed over and the server's word was lost: it may have taken it."""
