"""Results that are too large for a row: each is an artifact before its attempt is recorded.

They wait here for the object store and hold up no other outcome.  With the store away, what a row can bear after all
stays in the row; a larger one ends its attempt as any other trouble would, and the job is tried again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

import structlog
from msgspec.structs import replace

from actors.attempts.attempt import Attempt
from actors.attempts.verdict import Raised, Verdict, decide
from persistence.artifacts.archive import Archive, Label, NotOurs, Saver
from persistence.artifacts.artifact import Kind
from persistence.attempts.record import Ending
from persistence.store.database import COLLIDED
from wire.errors import DatabaseUnavailable, ObjectStoreUnavailable
from wire.rabbitmq.backoff import waits

log = structlog.get_logger()

MOST_IN_ROW: Final = 64 * 1024  # bytes; a row is read whole by every list that shows it
BEARABLE: Final = 1024 * 1024
LABEL: Final = Label("result.json", "application/json", Kind.RESULT)

Ended = tuple[Attempt, Ending]


def is_large(ending: Ending) -> bool:
    """Whether its result is too large for a row."""
    text = ending.result
    return text is not None and len(text) > MOST_IN_ROW // 4 and len(text.encode()) > MOST_IN_ROW


class LargeResults:
    """Of one lane."""

    def __init__(self, archive: Archive, kept: Callable[[Attempt, Ending], None]) -> None:
        self._archive, self._kept = archive, kept
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, attempt: Attempt, ending: Ending, otherwise: Callable[[Ending, Verdict], Ending]) -> None:
        """Keep its result; `otherwise` says what to record of an attempt whose result nobody would take."""
        task = asyncio.get_running_loop().create_task(self._keep(attempt, ending, otherwise))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """What is not recorded yet will be done again elsewhere."""
        for task in list(self._tasks):
            task.cancel()

    async def _keep(self, attempt: Attempt, ending: Ending, otherwise: Callable[[Ending, Verdict], Ending]) -> None:
        try:
            await self._until_saved(ending)
        except ObjectStoreUnavailable as e:
            if len((ending.result or "").encode()) <= BEARABLE:
                log.warning("large_result_stays_in_its_row", job_id=str(ending.job_id), error=str(e))
            else:
                ending = otherwise(ending, _tried_again(attempt, e))
        except NotOurs:
            pass  # the record will say so
        except Exception as e:  # a surprise must cost neither the lane nor the job its outcome: it is tried again
            log.exception("large_result_not_kept", job_id=str(ending.job_id))
            ending = otherwise(ending, _tried_again(attempt, e))
        else:
            ending = replace(ending, result=None)
        self._kept(attempt, ending)

    async def _until_saved(self, ending: Ending) -> None:
        content = (ending.result or "").encode()
        for seconds in waits():
            try:
                await self._archive.save(Saver(ending.job_id, ending.lease, ending.attempt), LABEL, content)
            except (DatabaseUnavailable, *COLLIDED) as e:
                log.warning("large_result_waits_for_database", job_id=str(ending.job_id), error=str(e))
                await asyncio.sleep(seconds)
            else:
                return


def _tried_again(attempt: Attempt, error: Exception) -> Verdict:
    budget = attempt.craft.budget(attempt.claim.attempt, attempt.claim.max_retries)
    return decide(Raised(error), budget, random.random())  # noqa: S311 - jitter is no secret
