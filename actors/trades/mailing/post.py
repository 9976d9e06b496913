"""The post of a process: composes a mail and has it taken, by the server if one is named, else by the folder.

As many mails are in hand at once as there may be connections, and of those with large files one: a mail is in memory as
a whole, several times while it is composed.
"""

from __future__ import annotations

import asyncio
import contextlib
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from actors.context import current
from actors.trades.mailing import here
from actors.trades.mailing.compose import compose
from actors.trades.mailing.delivery import Delivery
from actors.trades.mailing.folder import put
from actors.trades.mailing.mail import Mail, Sent
from actors.trades.mailing.remembered import receipts
from actors.trades.mailing.told import telling
from wire.identity import fresh_id
from wire.slices.mailing import Mailing, Server

if TYPE_CHECKING:
    from actors.trades.mailing.pool import Pool  # loaded with the first mail that a server gets

LARGE_BYTES: Final = 1_000_000


class Post:
    """One for a process and its loop; `local=False` for one mail alone."""

    def __init__(self, settings: Mailing, *, local: bool = True) -> None:
        self.settings, self._local = settings, local
        self.loop: asyncio.AbstractEventLoop | None = None
        self._server = settings.server
        self._pool: Pool | None = None
        self._turns = asyncio.Semaphore(settings.smtp_connections)
        self._large = asyncio.Semaphore(1)

    async def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        if self._local:
            here.post = self

    async def stop(self) -> None:
        if here.post is self:
            here.post = None
        if self._pool is not None:
            self._pool.stop()

    async def __aenter__(self) -> Post:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def send(self, mail: Mail) -> Sent:
        """See send.py."""
        large = sum(file.path.stat().st_size for file in mail.attachments) > LARGE_BYTES
        async with self._large if large else contextlib.nullcontext(), self._turns:
            with telling(self._server):
                return await self._sent(mail)

    async def _sent(self, mail: Mail) -> Sent:
        mark, server = _mark(mail), self._server
        composed = await asyncio.to_thread(compose, mail, self.settings, mark, _job(), show_bcc=server is None)
        if server is not None:
            async with receipts(mark) as kept:
                return await Delivery(self._connections(server), composed, kept, server.place).made()
        path = await asyncio.to_thread(put, Path(self.settings.mail_outbox), mark, composed.content)
        return Sent(composed.message_id, composed.recipients, (), str(path), len(composed.content))

    def _connections(self, server: Server) -> Pool:
        from actors.trades.mailing.pool import Pool  # noqa: PLC0415 - see above

        if self._pool is None:
            self._pool = Pool(server, self.settings)
        return self._pool


def _mark(mail: Mail) -> str:
    """What the mail is known by, the same in every attempt of its job."""
    job = current.get(None)
    if job is None:
        return str(fresh_id())
    key = f".{sha256(mail.key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}" if mail.key else ""
    return f"{job.job_id}{key}"


def _job() -> str:
    job = current.get(None)
    return str(job.job_id) if job else ""
