"""A real mail server for tests, on the test's own loop: it takes mail, asks for TLS and a login, or misbehaves."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

OK = "250 taken"


@dataclass(frozen=True)
class Received:
    """A mail that the server has taken."""

    sender: str
    recipients: list[str]
    content: bytes
    user: str | None
    tls: bool
    options: list[str]

    @property
    def mail(self) -> EmailMessage:
        """As a mail program reads it."""
        read = message_from_bytes(self.content, policy=default)
        assert isinstance(read, EmailMessage)
        return read


@dataclass
class MailServer:
    """What it answers can be changed while it runs; an answer that is None drops the connection."""

    port: int = 0
    taken: list[Received] = field(default_factory=list)
    logins: dict[str, str] = field(default_factory=dict)
    sender: Callable[[str], str | None] = lambda _: OK
    recipient: Callable[[str], str | None] = lambda _: OK
    content: Callable[[Received], Awaitable[str | None] | str | None] = lambda _: OK
    at_once: int = 1_000  # recipients
    keeps_all: bool = False  # also what it then says no to, or says nothing to
    connections: int = 0  # that were ever made
    said_to_be: list[str] = field(default_factory=list)  # who tried to log in
    open: list[SMTP] = field(default_factory=list)

    def drop_all(self) -> None:
        for one in self.open:
            if one.transport is not None:
                one.transport.abort()

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, way: str, said: Any) -> AuthResult:
        assert isinstance(said, LoginPassword)
        self.said_to_be.append(said.login.decode())
        right = self.logins.get(said.login.decode()) == said.password.decode()
        return AuthResult(success=right, handled=False, auth_data=said.login.decode())

    async def handle_EHLO(  # noqa: N802 - their name
        self, server: SMTP, session: Session, envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        session.host_name = name
        return answers

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = _or_drop(server, self.sender(address))
        if said.startswith("2"):
            envelope.mail_from, envelope.mail_options = address, options
        return said

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = _or_drop(server, self.recipient(address))
        if len(envelope.rcpt_tos) >= self.at_once:
            said = "452 too many recipients"
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        one = Received(
            envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content,
            str(session.auth_data) if session.auth_data else None, _in_tls(server), envelope.mail_options,
        )  # fmt: skip
        if self.keeps_all:
            self.taken.append(one)
        answered = self.content(one)
        said = await answered if isinstance(answered, Awaitable) else answered
        if not self.keeps_all and said is not None and said.startswith("2"):
            self.taken.append(one)
        return _or_drop(server, said)


@asynccontextmanager
async def mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    first: bool = False,
    logins: dict[str, str] | None = None,
    utf8: bool = True,
    keeps_all: bool = False,
    port: int = 0,
    **options: Any,
) -> AsyncIterator[MailServer]:
    """One on this port or one of its own; with `tls` it offers STARTTLS, or speaks TLS from the first byte."""
    kept = MailServer(logins=logins or {}, keeps_all=keeps_all)

    def connected() -> SMTP:
        kept.connections += 1
        with warnings.catch_warnings(action="ignore"):  # a login without TLS is what some tests are about
            one = made()
        kept.open.append(one)
        return one

    def made() -> SMTP:
        return SMTP(
            kept, hostname="mail.test", tls_context=None if first else tls, require_starttls=False,
            authenticator=kept.authenticate if logins else None, auth_required=bool(logins),
            auth_require_tls=tls is not None and not first, enable_SMTPUTF8=utf8, **options,
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", port, ssl=tls if first else None)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
        kept.drop_all()
        speaking = [one._handler_coroutine for one in kept.open if one._handler_coroutine is not None]
        for task in speaking:
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)


Lines = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def rude_server(behaves: Lines) -> AsyncIterator[MailServer]:
    """One that speaks as this function does; only its port and its connections are told."""
    kept = MailServer()

    speaking = set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept.connections += 1
        task = asyncio.ensure_future(behaves(reader, writer))
        speaking.add(task)
        await asyncio.wait({task})
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
        for task in speaking:
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)


def _in_tls(server: SMTP) -> bool:
    return server.transport is not None and server.transport.get_extra_info("sslcontext") is not None


def _or_drop(server: SMTP, said: str | None) -> str:
    if said is None:
        assert server.transport is not None
        server.transport.abort()
        return OK
    return said
