"""A client is told everything, sends again what was lost on the way, and never makes two jobs of one."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import msgspec
import pytest

from gateway import answers
from gateway.client import artifact_replies, crawl_replies, job_types, replies, schedule_replies
from gateway.client.blocking import SyncClient
from gateway.client.calls import Client, new_job
from gateway.client.failures import NotConfirmed, NotFound
from persistence.letters.dead_letters import DeadLetter, keep
from tests.eventually import eventually
from tests.room.gateway.running import Running, gateway
from tests.room.gateway.stumbling import Stumbling
from wire.errors import Refused, Unavailable
from wire.message import Incoming
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")
HI = {"message": "hi"}


async def jobs_tagged(running: Running, tag: str) -> int:
    return int((await running.sql("SELECT count(*) FROM warren.jobs WHERE $1 = ANY(tags)", tag))[0][0])


async def dead_letter(running: Running, body: bytes) -> int:
    """The number of a fresh one."""
    message = Incoming(body, "jobs.in", "job.echo.p5", "births", {}, str(uuid4()), type="echo")
    await keep(running.room.database, [DeadLetter(message, "of_client", "body: is not JSON")])
    return int((await running.sql("SELECT max(id) FROM warren.dead_letters"))[0][0])


async def test_an_answer_that_is_lost_makes_no_second_job(running: Running, proxy: Stumbling, client: Client) -> None:
    proxy.lose = 2
    job_id = await client.submit("echo", HI, tags=["lost"])

    assert ("echo", HI) == ((job := await client.get(job_id)).type, job.payload)
    assert (1, 3) == (await jobs_tagged(running, "lost"), sum(b'"lost"' in body for body in proxy.bodies))


async def test_not_now_is_asked_again_and_a_refusal_is_not(proxy: Stumbling, client: Client) -> None:
    proxy.refuse = 1
    job_id = await client.submit("echo", HI)
    before = len(proxy.bodies)
    with pytest.raises(Refused) as refused:
        await client.submit("echo", {"message": 1})

    assert 1 == len(proxy.bodies) - before
    assert isinstance(job_id, UUID)
    assert ("payload.message", "malformed") == (refused.value.field, refused.value.code)
    assert '1 is not of type "string"' == refused.value.problem
    assert refused.value.remedy.startswith("see the schema of 'echo'")


async def test_what_nobody_confirms_is_told_with_the_id_to_send_it_again(running: Running, proxy: Stumbling) -> None:
    proxy.lose = 100
    async with Client(proxy.url, patience_seconds=0.5) as client:
        with pytest.raises(NotConfirmed, match="submit it again with id=") as told:
            await client.submit("echo", HI, tags=["perhaps"])
        proxy.lose = 0
        assert told.value.id is not None
        again = await client.submit("echo", HI, tags=["perhaps"], id=told.value.id)

    assert (told.value.id, 1) == (again, await jobs_tagged(running, "perhaps"))


async def test_a_gateway_that_is_away_is_waited_for_no_longer_than_was_said() -> None:
    async with Client("http://127.0.0.1:1", patience_seconds=0.3) as client:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 cannot be reached"):
            await client.get(uuid4())


async def test_a_key_means_one_job_and_another_body_is_told(client: Client) -> None:
    first = await client.submit("echo", HI, key="invoice 7")
    again = await client.submit("echo", HI, key="invoice 7")
    with pytest.raises(Refused) as other:
        await client.submit("echo", {"message": "other"}, key="invoice 7")

    assert (first, "id_reused") == (again, other.value.code)


async def test_many_are_judged_one_by_one(client: Client) -> None:
    twice = new_job("echo", HI)
    jobs = [twice, twice, new_job("echo", {}), *(new_job("echo", {"message": str(n)}) for n in range(100))]
    items = await client.submit_many(jobs)
    bad = items[2]

    assert {"accepted", "duplicate"} == {items[0].status, items[1].status}
    assert items[0].id == items[1].id
    assert ("invalid", "payload.message", "is missing") == (
        bad.status, bad.problem and bad.problem.field, bad.problem and bad.problem.detail,
    )  # fmt: skip
    assert ["accepted"] * 100 == [item.status for item in items[3:]]


async def test_many_are_few_requests(running: Running, proxy: Stumbling, client: Client) -> None:
    before = len(proxy.bodies)
    items = await client.submit_many(new_job("echo", HI, tags=["few"]) for _ in range(1_201))

    assert {"accepted"} == {item.status for item in items}
    assert (1_201, 3) == (await jobs_tagged(running, "few"), len(proxy.bodies) - before)


async def test_what_the_gateway_is_not_sure_of_is_sent_again_and_is_no_duplicate(
    running: Running, proxy: Stumbling, client: Client
) -> None:
    jobs = [new_job("echo", {"message": 7}), *(new_job("echo", HI, tags=["doubted"]) for _ in range(3))]
    proxy.doubt = 2
    items = await client.submit_many(jobs)
    again = await client.submit_many(jobs)

    assert ["invalid", *["accepted"] * 3] == [item.status for item in items]
    assert ["invalid", *["duplicate"] * 3] == [item.status for item in again]
    assert ([job.id for job in jobs[1:]], 3) == ([item.id for item in items[1:]], await jobs_tagged(running, "doubted"))


async def test_what_stays_unsure_is_told_with_the_id_to_send_it_again(proxy: Stumbling) -> None:
    job = new_job("echo", HI)
    proxy.doubt = 100
    async with Client(proxy.url, patience_seconds=3) as client:  # enough for one answer of a busy gateway
        with pytest.raises(NotConfirmed, match="the stores are away") as told:
            await client.submit_many([job])

    assert job.id == told.value.id


async def test_a_gateway_that_takes_less_at_once_is_sent_less(stores: Stores) -> None:
    huge = new_job("anything", {"a": "x" * 20_000})
    async with (
        gateway(stores, max_bulk_jobs=3, max_bulk_bytes=16_384) as small,
        Client(f"http://127.0.0.1:{small.port}") as client,
    ):
        items = await client.submit_many([*(new_job("echo", HI) for _ in range(10)), huge])

    assert [*["accepted"] * 10, "invalid"] == [item.status for item in items]
    assert (huge.id, "too_large") == (items[-1].id, items[-1].problem and items[-1].problem.type)


async def test_none_are_no_request(proxy: Stumbling, client: Client) -> None:
    before = len(proxy.bodies)

    assert ((), before) == (await client.submit_many([]), len(proxy.bodies))


async def test_many_of_which_one_got_no_answer_can_be_sent_again(running: Running, proxy: Stumbling) -> None:
    jobs = [new_job("echo", HI, tags=["many"]) for _ in range(10)]
    proxy.lose = 3
    async with Client(proxy.url, patience_seconds=0.05) as hasty:
        with pytest.raises(NotConfirmed):
            await hasty.submit_many(jobs)
    proxy.lose = 0
    async with Client(proxy.url) as client:
        items = await client.submit_many(jobs)

    assert ([job.id for job in jobs], 10) == ([item.id for item in items], await jobs_tagged(running, "many"))


async def test_a_wait_is_no_longer_than_was_said_with_the_gateway_away() -> None:
    started = time.monotonic()
    async with Client("http://127.0.0.1:1") as client:
        with pytest.raises(Unavailable):
            await client.wait(uuid4(), within=0.5)

    assert time.monotonic() - started < 25  # of the thirty that it has patience for


async def test_a_change_whose_answer_was_lost_tells_how_the_job_stands(proxy: Stumbling, client: Client) -> None:
    job_id = await client.submit("echo", HI, delay=3600)
    proxy.lose = 1
    cancelled = await client.cancel(job_id)
    proxy.lose = 1
    again = await client.retry(job_id)
    with pytest.raises(Refused, match="only failed, cancelled and expired jobs"):
        await client.retry(job_id)

    assert ("cancelled", "queued") == (cancelled.state, again.state)


async def test_what_has_finished_is_deleted_and_what_lives_is_cancelled(proxy: Stumbling, client: Client) -> None:
    waiting, unwanted = [await client.submit("echo", HI, delay=3600) for _ in range(2)]
    cancelled = await client.delete(waiting)
    gone = await client.delete(waiting)
    proxy.lose = 1
    purged = await client.delete(unwanted, purge=True)  # the answer was lost, and then it was not there any more

    assert cancelled is not None
    assert ("cancelled", None, None) == (cancelled.state, gone, purged)
    for job_id in (waiting, unwanted):
        with pytest.raises(NotFound):
            await client.get(job_id)


async def test_the_attempts_of_a_job_are_told(running: Running, client: Client) -> None:
    job_id = await client.submit("echo", HI)
    none = await client.attempts(job_id)
    await running.sql(
        "INSERT INTO warren.attempts (job_id, lease, run, attempt, outcome, worker, started_at, finished_at, "
        "retry_after_seconds, error_type, error_message) "
        "VALUES ($1, 1, 1, 1, 'retry', 'w', now(), now(), 2, 'E', 'no')",
        job_id,
    )
    (attempt,) = await client.attempts(job_id)

    assert () == none
    assert (1, "retry", 2.0) == (attempt.lease, attempt.outcome, attempt.retry_after_seconds)
    assert replies.AttemptError("E", "no", None) == attempt.error


async def test_dead_letters_are_listed_opened_redriven_and_discarded(
    running: Running, proxy: Stumbling, client: Client
) -> None:
    good, bad, ugly = [
        await dead_letter(running, body) for body in (b'{"type":"echo","payload":{"message":"hi"}}', b"{", b"[]")
    ]
    first = await client.dead_letters(type="echo", reason="of_client", redriven=False, limit=2)
    rest = await client.dead_letters(reason="of_client", limit=2, cursor=first.next_cursor)
    proxy.lose = 1
    redriven = await client.redrive(good)  # the answer was lost, and then it was redriven already
    edited = await client.redrive(bad, new_job("echo", {"message": "mended"}))
    proxy.lose = 1
    await client.discard(ugly)
    opened = await client.dead_letter(bad)

    assert [ugly, bad, good] == [letter.id for letter in (*first.items, *rest.items)]
    assert (HI, good, bad) == (redriven.payload, redriven.redriven_from, edited.redriven_from)
    assert ("{", "utf-8", edited.id) == (opened.body, opened.encoding, opened.redriven_as)
    with pytest.raises(NotFound, match="there is no dead letter"):
        await client.discard(ugly)


async def test_what_cannot_be_redriven_is_refused_by_the_field(running: Running, client: Client) -> None:
    number = await dead_letter(running, b'{"type":"echo","payload":{}}')
    with pytest.raises(Refused, match="is missing") as refused:
        await client.redrive(number)
    await client.redrive(number, new_job("echo", HI))
    with pytest.raises(Refused, match="was redriven as job"):
        await client.redrive(number, new_job("echo", HI))

    assert ("payload.message", "malformed") == (refused.value.field, refused.value.code)


ASKED: list[Callable[[Client], Awaitable[object]]] = [
    lambda c: c.get(uuid4()), lambda c: c.wait(uuid4()), lambda c: c.list(), lambda c: c.attempts(uuid4()),
    lambda c: c.delete(uuid4()), lambda c: c.cancel(uuid4()), lambda c: c.retry(uuid4()), lambda c: c.dead_letters(),
    lambda c: c.dead_letter(1), lambda c: c.redrive(1), lambda c: c.discard(1), lambda c: c.submit_batch(),
    lambda c: c.wait_for_batch(uuid4()),
]  # fmt: skip


@pytest.mark.parametrize("ask", ASKED)
async def test_a_client_that_knows_rabbitmq_alone_asks_nobody(
    ask: Callable[[Client], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A gateway that happens to listen on this machine is not the one it submits to.
    """
    monkeypatch.delenv("WARREN_URL", raising=False)
    async with Client(amqp_url="amqp://nowhere.invalid/") as client:
        with pytest.raises(Refused, match="RabbitMQ alone only takes jobs; name a gateway: url or WARREN_URL"):
            await ask(client)


async def test_whatever_a_client_does_it_does_without_a_loop_too() -> None:
    calls = {name for name, call in inspect.getmembers(Client, inspect.iscoroutinefunction) if name[0] != "_"}

    assert set() == calls - vars(SyncClient).keys()
    assert {"delete", "attempts", "dead_letters", "redrive", "submit_batch", "wait_for_batch"} <= calls


@pytest.mark.parametrize("call", [Client.get, Client.cancel, Client.retry, Client.wait, Client.attempts, Client.delete])
async def test_a_job_that_is_not_there_is_not_found(client: Client, call: Callable[..., object]) -> None:
    with pytest.raises(NotFound, match="there is no job"):
        await call(client, uuid4())


async def test_jobs_are_listed_page_by_page(client: Client) -> None:
    for number in range(3):
        await client.submit("echo", {"message": str(number)}, tags=["page"], delay=3600)
    first = await client.list(tag="page", limit=2, state="scheduled", type="echo")
    rest = await client.list(tag="page", limit=2, state="scheduled", type="echo", cursor=first.next_cursor)

    assert ["2", "1", "0"] == [job.payload["message"] for job in (*first.items, *rest.items)]
    assert rest.next_cursor is None


async def test_who_waits_does_not_hold_up_who_submits(running: Running) -> None:
    async with Client(f"http://127.0.0.1:{running.port}", patience_seconds=5) as client:
        waited = [await client.submit("echo", HI) for _ in range(40)]
        waiting = [asyncio.create_task(client.wait(job_id, within=30)) for job_id in waited]
        await eventually(lambda: len(running.room.waiting._questions) == 40)
        job_id = await client.submit("echo", HI)
        for one in (*waited, job_id):
            await running.finish(str(one))
        done = await asyncio.gather(*waiting)

    assert waited == [job.id for job in done]


async def test_another_server_at_the_address_is_no_gateway(proxy: Stumbling) -> None:
    async with Client(f"{proxy.url}/docs") as client:
        with pytest.raises(Refused):
            await client.get(uuid4())


async def test_the_key_is_sent(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    async with gateway(stores, api_keys="a-good-key-of-32-characters-or-so") as guarded:
        url = f"http://127.0.0.1:{guarded.port}"
        monkeypatch.setenv("WARREN_URL", url)
        async with Client(api_key="another") as stranger:
            with pytest.raises(Refused, match="this API key is not known"):
                await stranger.list()
        monkeypatch.setenv("WARREN_API_KEY", "a-good-key-of-32-characters-or-so")
        async with Client() as friend:
            page = await friend.list(limit=1)

    assert 1 >= len(page.items)


async def test_a_client_is_told_what_may_be_submitted_and_what_comes_back(client: Client) -> None:
    known = {job_type.name: job_type for job_type in await client.job_types()}
    one = await client.job_type("anything")

    assert (one, None) == (known["anything"], known["echo"].result_schema)
    assert ["said"] == (one.result_schema or {})["required"]
    with pytest.raises(NotFound):
        await client.job_type("any/../thing")


async def test_a_client_outlives_its_loop(running: Running) -> None:
    client = Client(f"http://127.0.0.1:{running.port}")
    ids = [await asyncio.to_thread(asyncio.run, _submitted(client)) for _ in range(2)]

    assert 2 == len(set(ids))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (replies.Job, answers.jobs.Job),
        (replies.ResultArtifact, answers.jobs.ResultArtifact),
        (artifact_replies.Artifact, answers.artifacts.Artifact),
        (artifact_replies.ArtifactPage, answers.artifacts.ArtifactList),
        (replies.Page, answers.jobs.JobList),
        (job_types.JobType, answers.job_types.JobType),
        (job_types.JobTypeList, answers.job_types.JobTypeList),
        (replies.Receipt, answers.jobs.Receipt),
        (replies.JobError, answers.jobs.JobError),
        (replies.Progress, answers.jobs.Progress),
        (replies.Attempt, answers.jobs.Attempt),
        (replies.AttemptError, answers.jobs.AttemptError),
        (replies.AttemptList, answers.jobs.AttemptList),
        (replies.OpenedLetter, answers.letters.OpenedLetter),
        (replies.LetterPage, answers.letters.DeadLetterList),
        (replies.Batch, answers.batches.Batch),
        (replies.BatchCounts, answers.batches.BatchCounts),
        (replies.BatchProgress, answers.batches.BatchProgress),
        (replies.BatchPage, answers.batches.BatchList),
        (crawl_replies.Crawl, answers.crawls.CrawlReceipt),
        (crawl_replies.CrawlStatus, answers.crawls.CrawlStatus),
        (crawl_replies.CrawlPage, answers.crawls.CrawlResults),
        (crawl_replies.CrawledArticle, answers.crawls.CrawledArticle),
        (crawl_replies.FailedArticle, answers.crawls.FailedArticle),
        (schedule_replies.Schedule, answers.schedules.Schedule),
        (schedule_replies.SchedulePage, answers.schedules.ScheduleList),
        (schedule_replies.Run, answers.schedules.Run),
        (schedule_replies.RunPage, answers.schedules.RunList),
        (schedule_replies.Preview, answers.schedules.Preview),
        (schedule_replies.ComingRun, answers.schedules.ComingRun),
    ],
)
async def test_what_a_client_reads_is_what_the_gateway_writes(ours: type, theirs: type) -> None:
    known = {field.encode_name for field in msgspec.structs.fields(theirs)}

    assert set() == {field.encode_name for field in msgspec.structs.fields(ours)} - known


async def _submitted(client: Client) -> UUID:
    job_id = await client.submit("echo", HI)
    await client.close()
    return job_id
