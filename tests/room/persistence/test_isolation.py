"""A batch of births holds four that cannot be stored: they are letters, and the others are born with them."""

from __future__ import annotations

import pytest
import pytest_asyncio

from persistence.attempts.claim import Answer, Delivered, claim
from persistence.declared import job_types
from persistence.declared.job_types import Catalogue
from persistence.foreign.recorder import Recorder
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO, accepted, submission, working
from tests.room.persistence.test_recorder import NEVER_USED, foreign, letters

ODD = {
    "NaN": b'{"type":"echo","payload":{"n":NaN}}',
    r"\u0000": b'{"type":"echo","payload":{"n":"a\\u0000b"}}',
    "surrogate": b'{"type":"echo","payload":{"n":"\\ud800"}}',
    "1e200000": b'{"type":"echo","payload":{"n":1e200000}}',
}
BATCH = 500


@pytest_asyncio.fixture
async def recorder(database: Database) -> Recorder:
    await job_types.register(database, [ECHO])
    return Recorder(database, NEVER_USED, Catalogue(database, 15), 65_536)


async def test_four_births_of_five_hundred_are_letters_and_the_others_are_born(
    recorder: Recorder, database: Database
) -> None:
    good = [foreign() for _ in range(BATCH - len(ODD))]
    batch = [*good[:100], *map(foreign, ODD.values()), *good[100:]]
    await recorder.births(batch)
    await recorder.births(batch)  # as after a crash before the ack
    born = await database.fetch("SELECT id::text, state FROM jobs")
    kept = await letters(database)

    assert {message.message_id for message in good} == {row["id"] for row in born}
    assert {"queued"} == {row["state"] for row in born}
    assert len(ODD) == len(kept)
    assert {} == {word: kept for word in ODD if not [detail for _, detail in kept if word in detail]}


async def test_a_birth_that_only_postgres_refuses_does_not_stop_its_batch(
    recorder: Recorder, database: Database
) -> None:
    """
    Found by halves: the others do not wait for it, and it is kept as a letter.
    """
    text = "convert_from(body, 'UTF8')"
    await database.fetch(f"ALTER TABLE jobs ADD CONSTRAINT odd CHECK ({text} !~ 'odd' OR {text}::int > 0)")
    good, bad = [foreign() for _ in range(99)], foreign(b'{"type":"echo","payload":{"message":"odd"}}')
    await recorder.births([*good[:50], bad, *good[50:]])
    (row,) = await database.fetch("SELECT count(*) AS born FROM jobs")

    assert (99, ["unstorable"]) == (row["born"], [reason for reason, _ in await letters(database)])


async def test_an_id_twice_in_a_batch_of_births_is_born_once(recorder: Recorder, database: Database) -> None:
    message = foreign()
    await recorder.births([message, message, foreign(message_id=message.message_id)])

    assert 1 == len(await database.fetch("SELECT FROM jobs"))


async def test_a_claim_of_another_body_under_a_jobs_id_is_told_from_its_copy(database: Database) -> None:
    session, job = await working(database), submission()
    await accepted(database, job)
    answers = [
        (await claim(database, session, [Delivered(job.id, None, body_hash)], 15.0))[job.id].answer
        for body_hash in (b"another", job.body_hash)
    ]

    assert [Answer.ID_REUSED, Answer.CLAIMED] == answers


@pytest.mark.parametrize("odd", ODD.values(), ids=list(ODD))
async def test_each_of_them_is_refused_by_the_same_words_at_every_door(
    recorder: Recorder, database: Database, odd: bytes
) -> None:
    await recorder.births([foreign(odd)])

    ((reason, detail),) = await letters(database)
    assert ("malformed", "body: ") == (reason, detail[:6])
