"""One connection to the mail server, and one mail over it.

Every word of the server is judged by whose fault it is: a mail that it refuses for good (5xx) is not tried again, one
that it cannot take now is, and a login that it refuses is the operator's to mend, so the mail waits.  What is said of
it never holds our password, even if the server says it back.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiosmtplib

from actors.trades.mailing.compose import Composed
from actors.trades.mailing.failures import InDoubt, MailRefused, NotTaken, ServerAway, WrongMail
from actors.trades.mailing.mail import Refusal
from wire.slices.mailing import Mailing, Server

TAKES_SECONDS: Final = 180.0  # to take a mail that it has read: giving up early is how mail is sent twice
BYTES_A_SECOND: Final = 50_000  # of the slowest line that is still waited for
ASKS_LOGIN: Final = frozenset({530, 534, 535, 538})  # which is the operator's to mend
TAKEN: Final = 250
GO_ON: Final = 354
CLOSING: Final = 421
PIECE: Final = 65_536
MOST_REPLY: Final = 300


class Closing(NotTaken):
    """The server has no time for us, and has ended the connection."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the server said of the recipients of one transaction."""

    accepted: tuple[str, ...]
    refused: tuple[Refusal, ...]


class Session:
    """A connection that is logged in."""

    def __init__(self, server: Server, settings: Mailing) -> None:
        self._server, self._settings = server, settings
        self._smtp: aiosmtplib.SMTP | None = None
        self.sound = False  # the server has answered all that was said, so more can be
        self.handed = False  # a mail may have been taken by now
        self.stopped = False  # hand nothing over any more

    @property
    def alive(self) -> bool:
        return self.sound and self._smtp is not None and self._smtp.is_connected

    async def open(self, tls: ssl.SSLContext) -> None:
        """Connect, turn to TLS, log in; ServerAway or NotTaken."""
        server, place = self._server, self._server.place
        starts = {"first": False, "required": True, "offered": None, "never": False}[server.tls]
        self._smtp = aiosmtplib.SMTP(
            hostname=server.host, port=server.port, use_tls=server.tls == "first", start_tls=starts, tls_context=tls,
            username=server.user or None, password=server.password.get_secret_value() or None,
            timeout=self._settings.smtp_timeout_seconds, local_hostname=_own_name(),
        )  # fmt: skip
        try:
            await self._smtp.connect()
        except aiosmtplib.SMTPAuthenticationError as e:
            raise NotTaken(f"{place} refuses the login: {self._reply(e)}; WARREN_SMTP_URL has it") from None
        except aiosmtplib.SMTPResponseException as e:
            raise ServerAway(f"{place} does not serve us: {self._reply(e)}") from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as e:
            unknown = isinstance(e.__cause__ or e, ssl.SSLCertVerificationError)
            remedy = "; WARREN_SMTP_CERTIFICATES names a file with those to check it by" if unknown else ""
            raise ServerAway(f"{place}: {self._reply(e)}{remedy}") from None
        self.sound = True

    async def again(self) -> bool:
        """Whether it takes another mail."""
        try:
            await self._connected.rset(timeout=min(self._settings.smtp_timeout_seconds, 5.0))
        except (aiosmtplib.SMTPException, OSError):
            return False
        return True

    async def hand_over(self, mail: Composed, recipients: Sequence[str]) -> Taken:
        """One mail to these: what the server said of each; any of failures.py if it refused the mail as a whole."""
        self.sound = self.handed = self.stopped = False
        try:
            await self._begin(mail)
            refused = await self._name(recipients, mail)
        except (MailRefused, NotTaken) as e:
            self.sound = not isinstance(e, Closing)
            raise
        except (aiosmtplib.SMTPException, OSError) as e:
            raise ServerAway(f"{self._server.place}: {self._reply(e)}") from None
        without = {one.address for one in refused}
        taken = tuple(one for one in recipients if one not in without)
        if self.stopped:  # a cancel that came with the server's answer was lost on its way through the library
            raise asyncio.CancelledError
        if taken:
            await self._give(mail)
        self.sound = True
        return Taken(taken, tuple(refused))

    def cut(self) -> None:
        """Close it, with a word to the server if it listens."""
        if self._smtp is None:
            return
        if self.alive and self._smtp.protocol is not None:
            with contextlib.suppress(Exception):
                self._smtp.protocol.write(b"QUIT\r\n")
        self._smtp.close()

    @property
    def _connected(self) -> aiosmtplib.SMTP:
        assert self._smtp is not None, "open comes first"
        return self._smtp

    async def _begin(self, mail: Composed) -> None:
        smtp, place, options = self._connected, self._server.place, list[str]()
        if smtp.supports_extension("size"):
            limit = smtp.esmtp_extensions["size"]
            if limit.isdecimal() and 0 < int(limit) < len(mail.content):
                raise WrongMail(f"attachments: the mail has {len(mail.content)} bytes, {place} takes {limit}")
            options.append(f"SIZE={len(mail.content)}")
        if not mail.plain:
            if not smtp.supports_extension("smtputf8"):
                raise WrongMail(f"to: {place} takes no addresses with other letters than a to z (SMTPUTF8)")
            options += ["SMTPUTF8", "BODY=8BITMIME"]
        try:
            await smtp.mail(mail.sender, options=options, encoding="ascii" if mail.plain else "utf-8")
        except aiosmtplib.SMTPSenderRefused as e:
            raise self._judged(e, f"{place} refuses {mail.sender} as the sender (WARREN_MAIL_FROM)") from None

    async def _name(self, recipients: Sequence[str], mail: Composed) -> list[Refusal]:
        refused = list[Refusal]()
        for address in recipients:
            try:
                await self._connected.rcpt(address, encoding="ascii" if mail.plain else "utf-8")
            except aiosmtplib.SMTPRecipientRefused as e:
                if e.code == CLOSING:
                    raise Closing(f"{self._server.place} closes: {self._reply(e)}") from None
                if e.code in ASKS_LOGIN:
                    raise NotTaken(f"{self._server.place}: {self._reply(e)}; WARREN_SMTP_URL has no login") from None
                refused.append(Refusal(address, e.code, self._cleaned(e.message)))
        return refused

    async def _give(self, mail: Composed) -> None:
        """The text, then the dot that ends it: before that nothing is taken, whatever becomes of the connection."""
        try:
            await self._text(mail)
        except aiosmtplib.SMTPResponseException as e:
            raise self._judged(e, f"{self._server.place} refuses the mail") from None
        except (aiosmtplib.SMTPException, OSError) as e:
            raise ServerAway(f"{self._server.place}: {self._reply(e)}") from None
        if self.stopped:
            raise asyncio.CancelledError
        self.handed = True
        try:
            said = await self._connected.execute_command(b".", timeout=self._patience(mail))
        except (aiosmtplib.SMTPException, OSError) as e:
            raise InDoubt(
                f"{self._server.place} had the mail and did not say what became of it ({self._reply(e)}); "
                "whoever gets it twice knows by its Message-ID"
            ) from None
        if said.code != TAKEN:
            self.sound = said.code != CLOSING
            error = aiosmtplib.SMTPDataError(said.code, said.message)
            raise self._judged(error, f"{self._server.place} refuses the mail")

    async def _text(self, mail: Composed) -> None:
        """In pieces, each when the one before is on its way: the library's own way holds up the loop for large ones."""
        smtp = self._connected
        said = await smtp.execute_command(b"DATA")
        if said.code != GO_ON:
            self.sound = said.code != CLOSING
            raise aiosmtplib.SMTPDataError(said.code, said.message)
        for start in range(0, len(mail.wired), PIECE):
            if smtp.protocol is None:
                raise aiosmtplib.SMTPServerDisconnected("the connection was closed while it took the mail")
            smtp.protocol.write(mail.wired[start : start + PIECE])
            async with asyncio.timeout(self._settings.smtp_timeout_seconds):
                await smtp.protocol._drain_helper()

    def _patience(self, mail: Composed) -> float:
        return max(self._settings.smtp_timeout_seconds, TAKES_SECONDS) + len(mail.content) / BYTES_A_SECOND

    def _judged(self, error: aiosmtplib.SMTPResponseException, what: str) -> Exception:
        said = f"{what}: {self._reply(error)}"
        if error.code == CLOSING:
            return Closing(said)
        return MailRefused(said) if error.code >= 500 and error.code not in ASKS_LOGIN else NotTaken(said)

    def _reply(self, error: Exception) -> str:
        """What the server said, or what happened to the connection."""
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return f"{error.code} {self._cleaned(error.message)}"
        said = str(error.__cause__ or error) or str(error)  # who noticed is more to the point than who says so
        return self._cleaned(said) or "the connection was closed"

    def _cleaned(self, said: str) -> str:
        """On one line, and without our password in any of its spellings."""
        user, password = self._server.user, self._server.password.get_secret_value()
        if password:
            for secret in (password, _base64(password), _base64(f"\0{user}\0{password}")):
                said = said.replace(secret, "…")
        return " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())[:MOST_REPLY]


def _base64(said: str) -> str:
    return base64.b64encode(said.encode()).decode()


def _own_name() -> str:
    """For the server's greeting; a look-up of the full name can take seconds."""
    name = socket.gethostname()
    return name if name.isascii() and name.replace("-", "").replace(".", "").isalnum() else "localhost"
