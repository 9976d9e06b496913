"""An attempt of a job whose mail is remembered: its row, and its place in the context, for the tests of mail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from actors.context import Context, InnerDoor, current
from actors.trades.mailing.mail import Mail
from actors.trades.mailing.post import Post
from persistence.store.database import Database
from tests.mail_server import MailServer
from tests.room.persistence.rows import accepted, ask, submission, working
from wire.slices.mailing import Mailing
from wire.tracing import Trace

HELLO = Mail(to=["Ada <ada@example.org>"], subject="Hello", text="Good day\n.\nand so on\n")
THREE = Mail(to=["ada@example.org", "bob@example.org", "eve@example.org"], subject="Hello", text="Good day")


def post(server: MailServer, scheme: str = "smtp", login: str = "", host: str = "127.0.0.1", **settings: Any) -> Post:
    said = {
        "smtp_url": f"{scheme}://{login}{host}:{server.port}", "mail_from": "Warren <warren@example.org>", **settings,
    }  # fmt: skip
    return Post(Mailing.model_validate(said))


@dataclass(frozen=True)
class OnlyRows:
    """The one thing that mail wants of a lane's door."""

    database: Database


class NoRows:
    """A child process's."""

    @property
    def database(self) -> Database:
        raise RuntimeError("a child process has no connection to Postgres")


@dataclass(frozen=True)
class Attempt:
    """One lease of one job."""

    database: Database
    job_id: UUID
    lease: int = 1
    number: int = 1

    @classmethod
    async def first(cls, database: Database) -> Attempt:
        job, session = submission(), await working(database)
        await accepted(database, job)
        claim = await ask(database, session, job)
        return cls(database, job.id, claim.lease, claim.attempt)

    async def next(self) -> Attempt:
        """Another lease, whatever became of this one."""
        await self.database.fetch("UPDATE jobs SET lease = lease + 1, attempt = attempt + 1")
        return replace(self, lease=self.lease + 1, number=self.number + 1)

    @contextmanager
    def at_work(self, *, apart: bool = False) -> Iterator[Context]:
        """In the worker, or apart in a child process."""
        context = Context(
            self.job_id, "send_email", "default", self.number, 8, 5, Trace.begin(), in_function=True,
            door=cast(InnerDoor, NoRows() if apart else OnlyRows(self.database)), lease=self.lease,
        )  # fmt: skip
        token = current.set(context)
        try:
            yield context
        finally:
            current.reset(token)
