"""Have one mail taken for everybody it is for, and nobody twice.

What a server has taken is written down before anything else is done, and asked for before anything is sent: an attempt
that failed on one of three people mails that one the next time.  From the moment the server has the mail until its
answer is written, neither a cancel nor a timeout nor a shutdown interrupts, for a little while: an answer that nobody
hears is how mail is sent twice.  What is left is a process killed within these milliseconds, or a server that takes a
mail and does not say so.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from actors.trades.mailing.compose import Composed
from actors.trades.mailing.failures import MailRefused, NotTaken
from actors.trades.mailing.mail import Refusal, Sent
from persistence.receipts.receipts import Receipts
from wire.errors import Unavailable
from wire.rabbitmq.backoff import waits

if TYPE_CHECKING:
    from actors.trades.mailing.pool import Pool
    from actors.trades.mailing.smtp import Session, Taken

log = structlog.get_logger()

ANSWER_SECONDS: Final = 5.0  # for the server's word when the attempt is to stop; a drain gives its rest about as long
WRITE_TRIES: Final = 40  # more than a minute: Postgres is mostly back by then
MOST_TOLD: Final = 5


@dataclass(slots=True)
class Delivery:
    """Of one mail by one attempt."""

    pool: Pool
    mail: Composed
    receipts: Receipts | None
    place: str

    async def made(self) -> Sent:
        """Once it is taken for everybody who is not refused for good; else what failures.py has."""
        accepted, refused = await self._known(), list[Refusal]()
        if len(accepted) < len(self.mail.recipients):
            async with self.pool.session() as session:
                accepted |= await self._known()  # once more: it may have been long until there was a connection
                while left := [one for one in self.mail.recipients if one not in accepted]:
                    taken = await self._unbroken(session, left)
                    accepted |= set(taken.accepted)
                    refused = list(taken.refused)
                    if not taken.accepted or not any(one.crowded for one in refused):
                        break
        return self._judged(tuple(one for one in self.mail.recipients if one in accepted), refused)

    async def _known(self) -> set[str]:
        return set(await self.receipts.known()) if self.receipts else set()

    def _judged(self, accepted: tuple[str, ...], refused: Sequence[Refusal]) -> Sent:
        later = [one for one in refused if not one.permanent]
        if later:
            taken = f"took it for {len(accepted)} and " if accepted else ""
            raise NotTaken(f"{self.place} {taken}would not take it now for {_told(later)}")
        if not accepted:
            raise MailRefused(f"{self.place} refuses {_told(refused)}")
        if refused:
            log.warning("mail_refused", recipients=len(refused), place=self.place)
        return Sent(self.mail.message_id, accepted, tuple(refused), self.place, len(self.mail.content))

    async def _unbroken(self, session: Session, left: Sequence[str]) -> Taken:
        """Hand it over in a task that outlives a cancel if the server has it already."""
        handing = asyncio.create_task(self._handed_over(session, left))
        try:
            return await asyncio.shield(handing)
        except asyncio.CancelledError:
            session.stopped = True
            if session.handed:
                await asyncio.wait({handing}, timeout=ANSWER_SECONDS)
            if handing.done() and not handing.cancelled() and handing.exception() is None:
                log.info("mail_taken_while_stopping", place=self.place)
            raise
        finally:
            if handing.cancel():
                await asyncio.gather(handing, return_exceptions=True)

    async def _handed_over(self, session: Session, left: Sequence[str]) -> Taken:
        taken = await session.hand_over(self.mail, left)
        if taken.accepted and self.receipts is not None:
            await _written(self.receipts, taken.accepted)
        return taken


async def _written(kept: Receipts, accepted: Sequence[str]) -> None:
    """However long Postgres is away, within reason; without a receipt the outcome, recorded next, has to do."""
    for seconds in itertools.islice(waits(), WRITE_TRIES):
        try:
            await kept.keep(accepted)
        except Unavailable:
            await asyncio.sleep(seconds)
        else:
            return
    log.error("mail_receipt_not_written")


def _told(refused: Sequence[Refusal]) -> str:
    return "; ".join(map(str, refused[:MOST_TOLD])) + (" …" if len(refused) > MOST_TOLD else "")
