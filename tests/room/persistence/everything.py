"""All that Warren asks of Postgres, once: each function of the room, on jobs that are there.

For the tests of plans.  What is missing here is told by test_plans.py, which knows all statements of the room.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from persistence.accepting import outbox, replies
from persistence.accepting.accept import Acceptor, insert
from persistence.accepting.births import bear, meet_again
from persistence.accepting.submission import Submission
from persistence.attempts import attempt_logs, progress  # fmt: skip
from persistence.attempts.attempt_logs import Piece
from persistence.attempts.claim import claim, start_first
from persistence.attempts.progress import Progress
from persistence.attempts.record import record
from persistence.backups import server
from persistence.batches import batch_ends, batch_orders, batches
from persistence.batches.batch_orders import Do
from persistence.crew import crashes, reaping, workers, workforce
from persistence.crew.remind import remind
from persistence.crew.workers import Held, Pulse, Worker
from persistence.declared import follow, job_types, pauses, pins
from persistence.declared.pauses import Kind
from persistence.ending import cancel, retention
from persistence.ending.retention import START, Rule
from persistence.foreign import stray
from persistence.letters import letters, redrive, redrive_runs
from persistence.letters.dead_letters import DeadLetter, keep
from persistence.mending import epoch, neglected, rescue
from persistence.mending.rescue import Overtaken
from persistence.questions import activity, census, counts, reads, timeline, why
from persistence.questions.pages import Filter, Place
from persistence.store.database import Database
from tests.bench import lifelike
from tests.room.persistence.articles_asked import articles_are_asked_about
from tests.room.persistence.artifacts_asked import artifacts_are_asked_about
from tests.room.persistence.batch_rows import new
from tests.room.persistence.frontiers_asked import frontiers_are_asked_about
from tests.room.persistence.hosts_asked import hosts_are_asked_about
from tests.room.persistence.receipts_asked import receipts_are_asked_about
from tests.room.persistence.rows import ECHO, LEASE_SECONDS, delivered, ended, submission
from tests.room.persistence.schedules.asked import schedules_are_asked_about
from wire.message import RUN, Incoming, ReplyTo
from wire.rabbitmq.amqp import Broker
from wire.states import FINAL, Outcome, State
from wire.unique import Contest, Unique

MANY = 100  # jobs a statement, as under load
MINUTE = timedelta(minutes=1)
RETRY = {"outcome": Outcome.RETRY, "state": State.RETRYING, "again_after": timedelta(seconds=5)}
FILTERS: dict[str, list[Any]] = {  # a common value first, then rare ones
    "state": ["completed", "failed", "running", "retrying", "pending", "dead_letter"],
    "type": [lifelike.COMMON_TYPE, lifelike.RARE_TYPE],
    "queue": [lifelike.COMMON_QUEUE, lifelike.RARE_QUEUE],
    "tag": [lifelike.COMMON_TAG, lifelike.RARE_TAG],
    "batch_id": [lifelike.BATCH],
    "schedule_id": [lifelike.SCHEDULE, uuid4()],
}


async def everything(database: Database) -> None:
    """Each of them once."""
    session = await _a_worker_comes(database)
    await _jobs_come(database)
    await _jobs_are_done(database, session)
    await artifacts_are_asked_about(database, session)
    await _a_worker_goes(database, session)
    await _the_recorder_works(database)
    await _the_scheduler_works(database)
    await _somebody_asks(database)
    await _somebody_orders(database)
    await _letters_are_read_and_redriven(database)
    await schedules_are_asked_about(database)
    await articles_are_asked_about(database)
    await hosts_are_asked_about(database)
    await frontiers_are_asked_about(database)
    await receipts_are_asked_about(database)


def filters(since: object) -> Iterator[Filter]:
    """Each filter alone with each of its values, and all that go together with common ones; no batch has a schedule."""
    known = FILTERS | {"since": [since]}
    assert set(known) == {field.name for field in fields(Filter)}
    for name, values in known.items():
        yield from (Filter(**{name: value}) for value in values[1:])
    for chosen in itertools.product([False, True], repeat=len(known)):
        said = {name: known[name][0] for name in itertools.compress(known, chosen)}
        if not {"batch_id", "schedule_id"} <= said.keys():
            yield Filter(**said)


async def _a_worker_comes(database: Database) -> UUID:
    session = uuid4()
    await job_types.register(database, [ECHO])
    await job_types.known(database, LEASE_SECONDS)
    await job_types.homes(database, ["echo"])
    await job_types.forsaken(database, [ECHO], LEASE_SECONDS)
    await workers.arrive(database, Worker(session, "w:1", "w", 1, ["default"], ["echo"], 10))
    await workers.count_alive(database, LEASE_SECONDS)
    await pauses.paused_queues(database)
    return session


async def _jobs_come(database: Database) -> None:
    acceptor = Acceptor(database, Broker("amqp://127.0.0.1:1/", "nobody", timeout_seconds=0.1))
    await acceptor.start()
    again = _submissions()
    await acceptor.submit_all(again)
    await acceptor.submit(submission())
    await acceptor.submit_all([*again, *_asking_to_be_unique()])
    await acceptor.stop()
    foreign = [submission(reply_to=ReplyTo("answers", "1")) for _ in range(MANY)]
    async with database.transaction() as transaction:
        await bear(transaction, foreign)
        await meet_again(transaction, foreign)
        await transaction.fetch("SELECT warren.submit('echo', '{\"message\": \"hi\"}')")


def _submissions() -> list[Submission]:
    return [submission() for _ in range(MANY)]


def _asking_to_be_unique() -> list[Submission]:
    return [submission(unique=Contest(number.to_bytes(2, "big"), Unique())) for number in range(MANY)]


async def _jobs_are_done(database: Database, session: UUID) -> None:
    jobs, foreign = _submissions(), [submission(reply_to=ReplyTo("answers", "2")) for _ in range(3)]
    async with database.transaction() as transaction:
        await insert(transaction, jobs)
    messages = [*map(delivered, jobs), *(delivered(job, None) for job in foreign)]
    claims = await claim(database, session, messages, LEASE_SECONDS)
    claims |= await claim(database, session, messages[:MANY], LEASE_SECONDS)  # once more: these have to be judged
    held = [Held(job.id, claims[job.id].lease) for job in jobs]
    await workers.beat(database, session, Pulse(1, True, 1.0, marks={("default", 5): await database.now()}), held)
    await remind(database, session, held)
    await progress.write(database, [Progress(one.job_id, one.lease, 0.5, None) for one in held])
    pieces = [Piece(one.job_id, one.lease, 1, 501, 502, 3, "{}\n{}") for one in held]
    await attempt_logs.write(database, pieces)
    leases = [(job, claims[job.id].lease) for job in jobs]
    await _one_is_done(database, session)
    await record(database, [ended(*lease) for lease in leases[: MANY // 2]], session)
    await record(
        database, [ended(*lease, **(RETRY if n % 10 else {})) for n, lease in enumerate(leases[MANY // 2 :])], session
    )
    await record(database, [ended(job, claims[job.id].lease, children=(submission(),)) for job in foreign], session)
    await neglected.find(database, [lifelike.COMMON_QUEUE], [lifelike.COMMON_TYPE], below=5, limit=10)


async def _one_is_done(database: Database, session: UUID) -> None:
    """What comes alone has statements of its own."""
    first, again = submission(), submission()
    async with database.transaction() as transaction:
        await insert(transaction, [first, again])
    claimed = await start_first(database, session, first.id)
    assert claimed is not None
    await record(database, [ended(first, claimed.lease)], session)
    await claim(database, session, [delivered(again)], LEASE_SECONDS)


async def _a_worker_goes(database: Database, session: UUID) -> None:
    jobs = _submissions()
    async with database.transaction() as transaction:
        await insert(transaction, jobs)
    await claim(database, session, [delivered(job) for job in jobs], LEASE_SECONDS)
    await workforce.ask_to_drain(database, session)
    await workers.end(database, session)
    await crashes.bury(database, [uuid4()], silent_seconds=LEASE_SECONDS)
    heir = await _a_worker_comes(database)
    await claim(database, heir, [delivered(job) for job in jobs[: MANY // 2]], LEASE_SECONDS)
    await reaping.dead(database, MINUTE, timedelta(0))
    await reaping.send_orphans(database, 1_000, timedelta(0), MINUTE)


async def _the_recorder_works(database: Database) -> None:
    letters_of = [Incoming(b"{", "jobs.in", "job.echo.p5", "births", {}, str(uuid4())) for _ in range(MANY)]
    await keep(database, [DeadLetter(message, "malformed", "body is not JSON") for message in letters_of])
    jobs = _submissions()
    async with database.transaction() as transaction:
        await insert(transaction, jobs)
    strays = [Incoming(job.body, "", "", "unrouted", {}, str(job.id), type="echo") for job in jobs]
    await stray.return_to_outbox(database, strays, "nobody was bound")


async def _the_scheduler_works(database: Database) -> None:
    await pauses.release(database, 500)
    posts, needless = await outbox.lease(database, 500, 10)
    await outbox.delete(database, [*needless, *(post.seq for post in posts)])
    await rescue.sent_late(database, [post.job_id for post in posts])
    await rescue.queues(database, MINUTE)
    levels = [Overtaken(queue, 5, await database.now()) for queue in (lifelike.COMMON_QUEUE, "default")]
    await rescue.send_overtaken(database, levels, 1_000, MINUTE)
    for state in FINAL:
        rule = Rule(state, timedelta(hours=22), await database.now())
        _, place = await retention.forget_jobs(database, rule, START, 10)
        await retention.forget_jobs(database, rule, place or START, 10)
    await retention.forget_traces(database, 1_000)
    await counts.fold(database)
    await follow.follow(database, {"echo": "elsewhere"})
    await epoch.send_again(database, await epoch.ours(database, uuid4()), 5_000, 0)
    await epoch.known(database)
    told = await replies.lease(database, 500, 10)
    await replies.delete(database, [reply.id for reply in told[:-1]])
    await replies.lose(database, [reply.id for reply in told[-1:]])
    await census.census(database)


async def _somebody_asks(database: Database) -> None:
    since = await database.now() - timedelta(hours=1)
    for wanted in filters(since):
        page = await reads.page_of_jobs(database, wanted, 51)
        if page:
            await reads.page_of_jobs(database, wanted, 51, Place(page[-1].created_at, page[-1].id))
    for name in ("state", "tag", "batch_id"):
        await reads.numbered_page(database, Filter(**{name: FILTERS[name][0]}, since=since), 1, 1)
    await reads.numbered_page(database, Filter(), 1, 1)
    (job,) = await reads.page_of_jobs(database, Filter(state="failed"), 1)
    await reads.one_job(database, job.id)
    await reads.attempts_of(database, job.id)
    for state in State:
        (job,) = await reads.page_of_jobs(database, Filter(state=state), 1)
        await why.facts_of(database, job.id, LEASE_SECONDS, unsent=True)
        await timeline.story_of(database, job.id)
        await attempt_logs.lines_of(database, job.id, limit=500)
    await attempt_logs.news_of(database, [(job.id, attempt_logs.START)])
    await reads.finished_among(database, [job.id, *(uuid4() for _ in range(MANY))])
    await counts.jobs(database)
    await counts.letters(database)
    await counts.oldest(database, [(lifelike.COMMON_QUEUE, priority) for priority in range(1, 11)])
    await server.facts(database)
    await server.bystanders(database)
    async for _ in activity.activity(database, [since - timedelta(days=1), since, since + timedelta(hours=1)]):
        pass
    await workforce.strength(database, LEASE_SECONDS)
    await workforce.members(database, LEASE_SECONDS)
    await workforce.member(database, lifelike.HOLDER, LEASE_SECONDS)
    await batches.one_batch(database, lifelike.BATCH)
    await batches.page_of_batches(database, batches.Filter(), 51)
    await pauses.every(database)
    await pins.pinned(database, "profile")


async def _somebody_orders(database: Database) -> None:
    jobs = [submission() for _ in range(4)]
    async with database.transaction() as transaction:
        await insert(transaction, jobs)
    await cancel.cancel(database, jobs[0].id)
    await cancel.again(database, jobs[0].id)
    await cancel.delete(database, jobs[1].id, purge=True)
    await cancel.cancel_or_delete(database, jobs[2].id, purge=False)
    await pauses.pause(database, Kind.TYPE, "echo", by="somebody", note=None)
    await pauses.resume(database, Kind.TYPE, "echo")
    batch = new(open=True)
    await batches.create(database, batch, [submission(batch_id=batch.id) for _ in range(MANY)])
    await batches.close(database, batch.id)
    for do, states in ((Do.CANCEL, []), (Do.RETRY, [State.CANCELLED]), (Do.CANCEL, []), (Do.DELETE, [])):
        await batch_ends.fold(database)
        order = await batch_orders.give(database, do, batch.id, states)
        await batch_orders.given(database, 10)
        assert order is not None
        async for _ in batch_orders.carry_out(database, order):
            pass


async def _letters_are_read_and_redriven(database: Database) -> None:
    wanted = letters.Filter(type="mail", reason="malformed", redriven=False)
    (letter, *_) = await letters.page(database, wanted, 50)
    await letters.causes(database, wanted, 50)
    await letters.opened(database, letter.id)
    await letters.of_message(database, uuid4())
    await letters.between(database, wanted, 0, letter.id, limit=10, most_bytes=1_000)
    await redrive.redrive(database, letter.id, submission())
    await _an_own_letter_is_redriven(database)
    run = await redrive_runs.begin(database, wanted, 10.0)
    holder = uuid4()
    await redrive_runs.take_up(database, holder)
    await redrive_runs.step(database, run.id, holder, letter.id - 1, submission())
    await redrive_runs.one(database, run.id)
    await redrive_runs.page(database, 10)
    await redrive_runs.finish(database, run.id, holder)
    await redrive_runs.let_go(database, holder)
    await redrive_runs.stop(database, run.id)
    await letters.discard(database, letter.id)


async def _an_own_letter_is_redriven(database: Database) -> None:
    """It keeps its id, and its run goes on."""
    job = submission()
    ours = Incoming(job.body, "jobs", "job.echo.p5", "dead", {RUN: 3}, str(job.id))
    await keep(database, [DeadLetter(ours, "orphan", "no row knows it")])
    (letter, *_) = await letters.page(database, letters.Filter(reason="orphan"), 1)
    await redrive.redrive(database, letter.id, job)
