"""The connections of a process to the mail server: a few, used again and again, for a login takes longer than a mail.

When the server cannot be reached, whoever waits for a connection is told at once what the first one has found out:
a hundred jobs must not each wait their time for the same dead server.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from actors.trades.mailing.failures import NotTaken, ServerAway
from actors.trades.mailing.smtp import Session
from wire.slices.mailing import Mailing, Server

IDLE_SECONDS: Final = 20.0  # servers that are busy end what is idle for longer
MOST_MAILS: Final = 100  # over one connection; some servers allow no more
BELIEVED_SECONDS: Final = 3.0  # how long the server counts as away before it is tried again
SHUT_SECONDS: Final = 30.0  # the same after a login that was refused: who tries often enough is locked out


class Pool:
    """For one server."""

    def __init__(self, server: Server, settings: Mailing) -> None:
        self._server, self._settings = server, settings
        self._idle = list[tuple[Session, int, float]]()  # the one used last is the last; how often, until when
        self._turns = asyncio.Semaphore(settings.smtp_connections)
        self._tls: ssl.SSLContext | None = None
        self._away: tuple[float, type[ServerAway | NotTaken], str] | None = None

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A connection of one's own for a while; it is kept if all that was said on it was answered."""
        async with self._turns:
            session, mails = await self._take()
            try:
                yield session
            finally:
                if session.alive and mails < MOST_MAILS:
                    self._idle.append((session, mails + 1, time.monotonic() + IDLE_SECONDS))
                    asyncio.get_running_loop().call_later(IDLE_SECONDS, self._tidy)
                else:
                    session.cut()

    def stop(self) -> None:
        while self._idle:
            self._idle.pop()[0].cut()

    async def _take(self) -> tuple[Session, int]:
        self._tidy()
        while self._idle:
            session, mails, _ = self._idle.pop()
            if await session.again():
                return session, mails
            session.cut()
        return await self._open(), 0

    async def _open(self) -> Session:
        if self._away is not None and time.monotonic() < self._away[0]:
            raise self._away[1](self._away[2])
        session = Session(self._server, self._settings)
        try:
            await session.open(await self._certificates())
        except (ServerAway, NotTaken) as e:
            believed = SHUT_SECONDS if isinstance(e, NotTaken) else BELIEVED_SECONDS
            self._away = time.monotonic() + believed, type(e), str(e)
            raise
        except BaseException:
            session.cut()
            raise
        self._away = None
        return session

    async def _certificates(self) -> ssl.SSLContext:
        """Loaded once, and on a thread: it takes tens of milliseconds."""
        file = self._settings.smtp_certificates
        if self._tls is None:
            try:
                self._tls = await asyncio.to_thread(ssl.create_default_context, cafile=file or None)
            except OSError as e:
                why = f"{Path(file)} cannot be read as certificates ({e.strerror or e})"
                raise ServerAway(f"WARREN_SMTP_CERTIFICATES: {why}") from None
        return self._tls

    def _tidy(self) -> None:
        """Close what has been idle for too long."""
        now = time.monotonic()
        while self._idle and (self._idle[0][2] <= now or not self._idle[0][0].alive):
            self._idle.pop(0)[0].cut()
