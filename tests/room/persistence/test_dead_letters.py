"""Dead letters are kept once, read by page and by cause, and become jobs once."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from persistence.accepting.submission import Submission
from persistence.attempts.claim import Answer
from persistence.letters import letters, redrive_runs
from persistence.letters.dead_letters import DeadLetter, keep
from persistence.letters.letters import Filter
from persistence.letters.redrive import Redriven, Word, message_of, redrive
from persistence.store.database import Database
from tests.room.persistence.rows import accepted, ask, field, submission, working
from wire.errors import Refused
from wire.message import Incoming

MAX_BYTES = 262_144
EVERYTHING = Filter()


def foreign(body: bytes = b"{", **said: object) -> Incoming:
    plain = Incoming(body, "jobs.in", "job.echo.p5", "births", {}, str(uuid4()))
    return replace(plain, **said)  # type: ignore[arg-type]


async def kept(
    database: Database, *details: str, reason: str = "malformed", message: Incoming | None = None
) -> list[int]:
    """The numbers of fresh letters, one a detail."""
    await keep(database, [DeadLetter(message or foreign(), reason, detail) for detail in details])
    rows = await database.fetch("SELECT id FROM dead_letters ORDER BY id DESC LIMIT $1", len(details))
    return sorted(row["id"] for row in rows)


class TestReading:
    async def test_the_same_message_refused_twice_is_one_letter(self, database: Database) -> None:
        message = foreign()
        for _ in range(2):
            await kept(database, "body: is not JSON", message=message)

        assert 1 == len(await letters.page(database, EVERYTHING, 10))

    async def test_pages_follow_one_another(self, database: Database) -> None:
        numbers = await kept(database, *["body: is not JSON"] * 7)
        seen: list[int] = []
        while page := await letters.page(database, EVERYTHING, 3, seen[-1] if seen else None):
            seen += [letter.id for letter in page]

        assert sorted(numbers, reverse=True) == seen

    async def test_filters_add_up(self, database: Database) -> None:
        await kept(database, "body: is not JSON")
        (wanted,) = await kept(database, "type: is unknown", reason="unknown_type")
        (marked,) = await kept(database, "type: is unknown", reason="unknown_type")
        await redrive(database, marked, submission())
        letter = (await letters.page(database, Filter(reason="unknown_type", redriven=False), 10))[0]

        for one in (
            Filter(reason="unknown_type", redriven=False),
            Filter(fingerprint=letter.fingerprint, redriven=False),
            Filter(type="echo", reason="unknown_type", redriven=False, since=letter.created_at - timedelta(seconds=9)),
        ):
            assert [wanted] == [found.id for found in await letters.page(database, one, 10)]
        assert [marked] == [found.id for found in await letters.page(database, Filter(redriven=True), 10)]
        assert [] == await letters.page(database, Filter(since=letter.created_at + timedelta(hours=1)), 10)

    async def test_the_routing_key_names_the_type_of_a_message_that_does_not(self, database: Database) -> None:
        await kept(database, "body: is not JSON")

        assert ["echo"] == [letter.type for letter in await letters.page(database, EVERYTHING, 10)]

    async def test_causes_are_told_with_their_newest_letter(self, database: Database) -> None:
        await kept(database, "priority: 11 is none", "priority: 12 is none")
        (newest,) = await kept(database, "priority: 13 is none")
        other = (await kept(database, "v: 2 is not understood"))[0]
        await redrive(database, newest, submission())
        first, second = await letters.causes(database, EVERYTHING, 10)

        assert (other, 1, 1) == (first.sample.id, first.letters, first.waiting)
        assert (newest, 3, 2) == (second.sample.id, second.letters, second.waiting)
        assert second.first_seen_at < second.last_seen_at == second.sample.created_at
        assert [newest] == [c.sample.id for c in await letters.causes(database, EVERYTHING, 10, first.sample.id)]

    async def test_a_letter_is_opened_with_its_bytes_and_headers(self, database: Database) -> None:
        message = foreign(b"\x00\xff", headers={"a": 1, "x-death": [{"count": 2}]}, priority=3, app_id="shop")
        (number,) = await kept(database, "body: is not UTF-8", message=message)
        opened = await letters.opened(database, number)

        assert opened
        assert b"\x00\xff" == opened.body
        said = json.loads(opened.headers)
        assert {"a": 1, "x-death": [{"count": 2}]} == said["headers"]
        assert {"priority": 3, "app_id": "shop"} == said["properties"]

    async def test_a_discarded_letter_is_gone(self, database: Database) -> None:
        (number,) = await kept(database, "body: is not JSON")

        assert [True, False] == [await letters.discard(database, number) for _ in range(2)]
        assert await letters.opened(database, number) is None


class TestRedrive:
    async def test_a_letter_becomes_a_job_and_says_which(self, database: Database) -> None:
        (number,) = await kept(database, "body: is not JSON")
        job = submission()
        done = await redrive(database, number, job)
        opened = await letters.opened(database, number)

        assert opened
        assert (Word.REDRIVEN, job.id, [job.id]) == (done.word, done.job_id, [post.job_id for post in done.posts])
        assert (job.id, True) == (opened.letter.redriven_as, opened.letter.redriven_at is not None)
        assert ("queued", job.body) == (await field(database, job, "state"), await field(database, job, "body"))

    async def test_an_id_that_is_taken_makes_a_job_of_another_id(self, database: Database) -> None:
        (number,) = await kept(database, "message_id: belongs to another job")
        job = submission()
        await accepted(database, job)
        done = await redrive(database, number, job)
        (row,) = await database.fetch("SELECT body FROM jobs WHERE id = $1", done.job_id)

        assert done.job_id != job.id
        assert str(done.job_id) == json.loads(row["body"])["id"]
        assert {"message": "hi"} == json.loads(row["body"])["payload"]

    async def test_an_id_that_was_deleted_is_not_used_again(self, database: Database) -> None:
        (number,) = await kept(database, "orphan")
        job = submission()
        await database.fetch("INSERT INTO tombstones VALUES ($1, now() + interval '1 day')", job.id)
        done = await redrive(database, number, job)

        assert (Word.REDRIVEN, False) == (done.word, done.job_id == job.id)

    async def test_an_orphan_goes_on_behind_its_own_run(self, database: Database) -> None:
        """Copies of its older messages are still about, and must not count as current."""
        job, session = submission(), await working(database)
        orphan = foreign(job.body, message_id=str(job.id), exchange="jobs", headers={"run": 5})
        (number,) = await kept(database, "no row knows this job", reason="orphan", message=orphan)
        done = await redrive(database, number, job)
        rows = await database.fetch("SELECT run FROM outbox")

        assert ([6], [6]) == ([post.run for post in done.posts], [row["run"] for row in rows])
        assert Answer.STALE == (await ask(database, session, job, run=5)).answer
        assert Answer.CLAIMED == (await ask(database, session, job, run=6)).answer

    @pytest.mark.parametrize("run", [0, -1, True, 2**31 - 1, 2**70, "7"])
    async def test_a_run_that_is_none_is_passed_over(self, database: Database, run: object) -> None:
        job = submission()
        (number,) = await kept(
            database, "orphan", message=foreign(job.body, message_id=str(job.id), exchange="jobs", headers={"run": run})
        )
        done = await redrive(database, number, job)

        assert [1] == [post.run for post in done.posts]

    async def test_a_job_under_a_fresh_id_begins_at_its_first_run(self, database: Database) -> None:
        job = submission()
        await accepted(database, job)
        orphan = foreign(job.body, message_id=str(job.id), exchange="jobs", headers={"run": 5})
        (number,) = await kept(database, "orphan", message=orphan)

        assert [1] == [post.run for post in (await redrive(database, number, job)).posts]

    async def test_fifty_at_once_make_one_job(self, database: Database) -> None:
        (number,) = await kept(database, "body: is not JSON")
        done = await asyncio.gather(*[redrive(database, number, submission()) for _ in range(50)])
        made = [one for one in done if one.word is Word.REDRIVEN]

        assert (1, 49) == (len(made), sum(one.word is Word.ALREADY for one in done))
        assert {made[0].job_id} == {one.job_id for one in done}
        assert 1 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]

    async def test_a_letter_that_is_gone_makes_no_job(self, database: Database) -> None:
        assert Redriven(Word.UNKNOWN) == await redrive(database, 17, submission())
        assert 0 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]

    async def test_against_a_discard_it_is_one_or_the_other(self, database: Database) -> None:
        numbers = await kept(database, *["body: is not JSON"] * 20)
        made = asyncio.gather(*[redrive(database, number, submission()) for number in numbers])
        gone = await asyncio.gather(*[letters.discard(database, number) for number in numbers])
        jobs = (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]

        assert all(gone)
        assert jobs == sum(one.word is Word.REDRIVEN for one in await made)

    async def test_the_message_is_put_together_as_it_came(self, database: Database) -> None:
        body = submission().body
        message = foreign(body, headers={"traceparent": "00-x"}, priority=7, content_type="application/json")
        (number,) = await kept(database, "type: is unknown", message=message)
        opened = await letters.opened(database, number)

        assert opened
        assert replace(message, type="echo") == message_of(opened, MAX_BYTES)

    async def test_a_message_without_an_id_takes_its_body_s_or_a_fresh_one(self, database: Database) -> None:
        job = submission()
        (named,) = await kept(database, "message_id: is missing", message=foreign(job.body, message_id=None))
        bare = foreign(b'{"type":"echo","payload":{}}', message_id="17")
        (nameless,) = await kept(database, "message_id: is no UUID", message=bare)
        both = [await letters.opened(database, number) for number in (named, nameless)]

        assert [str(job.id), True] == [
            message_of(both[0], MAX_BYTES).message_id if both[0] else None,
            bool(both[1] and UUID(message_of(both[1], MAX_BYTES).message_id)),
        ]

    async def test_a_body_that_is_too_large_is_refused(self, database: Database) -> None:
        (number,) = await kept(database, "body: has too many bytes", message=foreign(b" " * 2_000))
        opened = await letters.opened(database, number)

        assert opened
        with pytest.raises(Refused, match="2000 bytes"):
            message_of(opened, 1_000)


class TestRuns:
    async def test_a_run_goes_through_what_there_was_when_it_began(self, database: Database) -> None:
        holder, numbers = uuid4(), await kept(database, *["priority: 11 is none"] * 3)
        await kept(database, "v: 2 is none", reason="unknown")
        begun = await redrive_runs.begin(database, Filter(reason="malformed", redriven=False), 10)
        await kept(database, "priority: 12 is none")
        (run,) = await redrive_runs.take_up(database, holder)
        batch = await letters.between(database, run.filter, 0, run.last_letter, limit=10, most_bytes=10)

        assert (begun.id, 3) == (run.id, run.letters)
        assert numbers == [opened.letter.id for opened in batch]
        for number in numbers:
            assert await redrive_runs.step(database, run.id, holder, number, submission())
        await redrive_runs.finish(database, run.id, holder)
        ended = await redrive_runs.one(database, run.id)
        assert ended
        assert ("finished", 3, 0, numbers[-1]) == (ended.state, ended.redriven, ended.refused, ended.after_letter)
        assert [] == await redrive_runs.take_up(database, holder)

    async def test_what_is_still_bad_is_counted_and_stays(self, database: Database) -> None:
        holder, (number,) = uuid4(), await kept(database, "priority: 11 is none")
        run = await redrive_runs.begin(database, EVERYTHING, 10)
        await redrive_runs.take_up(database, holder)
        posts = await redrive_runs.step(database, run.id, holder, number, Refused("priority", "11 is none"))
        after = await redrive_runs.one(database, run.id)

        assert [] == posts
        assert after
        assert (0, 1, f"letter {number}: priority: 11 is none") == (after.redriven, after.refused, after.last_refusal)
        assert [number] == [letter.id for letter in await letters.page(database, Filter(redriven=False), 10)]

    async def test_after_a_stop_no_letter_is_redriven(self, database: Database) -> None:
        holder, (number,) = uuid4(), await kept(database, "body: no")
        run = await redrive_runs.begin(database, EVERYTHING, 10)
        await redrive_runs.take_up(database, holder)
        stopped = [await redrive_runs.stop(database, run.id) for _ in range(2)]
        posts = await redrive_runs.step(database, run.id, holder, number, submission())

        assert stopped[0]
        assert ("stopped", stopped[0]) == (stopped[0].state, stopped[1])
        assert posts is None
        assert 0 == (await database.fetch("SELECT count(*) AS n FROM jobs"))[0]["n"]

    async def test_a_run_that_has_passed_to_another_is_not_ours_any_more(self, database: Database) -> None:
        """The gateway slept for a minute; meanwhile another took its run up."""
        sleeper, other, (number,) = uuid4(), uuid4(), await kept(database, "body: no")
        run = await redrive_runs.begin(database, EVERYTHING, 10)
        taken = [[r.id for r in await redrive_runs.take_up(database, holder)] for holder in (sleeper, other)]
        await database.fetch("UPDATE redrive_runs SET held_until = now() - interval '1 s'")
        taken.append([r.id for r in await redrive_runs.take_up(database, other)])

        assert [[run.id], [], [run.id]] == taken
        assert await redrive_runs.step(database, run.id, sleeper, number, submission()) is None
        assert await redrive_runs.step(database, run.id, other, number, submission())

    async def test_what_is_let_go_is_taken_up_at_once(self, database: Database) -> None:
        leaving, other = uuid4(), uuid4()
        run = await redrive_runs.begin(database, EVERYTHING, 10)
        await redrive_runs.take_up(database, leaving)
        await redrive_runs.let_go(database, leaving)

        assert [run.id] == [r.id for r in await redrive_runs.take_up(database, other)]

    async def test_a_letter_that_was_redriven_meanwhile_is_not_counted(self, database: Database) -> None:
        holder, (number,) = uuid4(), await kept(database, "body: no")
        run = await redrive_runs.begin(database, EVERYTHING, 10)
        await redrive_runs.take_up(database, holder)
        await redrive(database, number, submission())
        posts = await redrive_runs.step(database, run.id, holder, number, submission())
        after = await redrive_runs.one(database, run.id)

        assert ([], 0, number) == (posts, after and after.redriven, after and after.after_letter)

    async def test_a_job_that_postgres_refuses_moves_nothing(self, database: Database) -> None:
        holder, (number,) = uuid4(), await kept(database, "body: no")
        run = await redrive_runs.begin(database, EVERYTHING, 10)
        await redrive_runs.take_up(database, holder)
        bad: Submission = replace(submission(), type="a\x00")
        with pytest.raises(Exception, match=r"0x00|NUL|null"):
            await redrive_runs.step(database, run.id, holder, number, bad)
        after = await redrive_runs.one(database, run.id)

        assert after
        assert (0, 0) == (after.redriven, after.after_letter)
