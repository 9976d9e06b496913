"""A client is told everything, sends again what was lost on the way, and never makes two jobs of one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio

from gateway import answers
from gateway.client import replies
from gateway.client.calls import Client, new_job
from gateway.client.failures import NotConfirmed, NotFound
from tests.room.gateway.running import Running, gateway
from tests.room.gateway.stumbling import Stumbling, stumbling
from wire.errors import Refused, Unavailable
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")
HI = {"message": "hi"}


@pytest_asyncio.fixture(loop_scope="module")
async def proxy(running: Running) -> AsyncIterator[Stumbling]:
    async with stumbling(f"http://127.0.0.1:{running.port}") as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def client(proxy: Stumbling) -> AsyncIterator[Client]:
    async with Client(proxy.url, patience_seconds=10) as one:
        yield one


async def jobs_tagged(running: Running, tag: str) -> int:
    return int((await running.sql("SELECT count(*) FROM warren.jobs WHERE $1 = ANY(tags)", tag))[0][0])


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
    assert ("invalid", "payload", '"message" is a required property') == (
        bad.status, bad.problem and bad.problem.field, bad.problem and bad.problem.detail,
    )  # fmt: skip
    assert ["accepted"] * 100 == [item.status for item in items[3:]]


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

    assert time.monotonic() - started < 10


async def test_a_change_whose_answer_was_lost_tells_how_the_job_stands(proxy: Stumbling, client: Client) -> None:
    job_id = await client.submit("echo", HI, delay=3600)
    proxy.lose = 1
    cancelled = await client.cancel(job_id)
    proxy.lose = 1
    again = await client.retry(job_id)
    with pytest.raises(Refused, match="only failed, cancelled and expired jobs"):
        await client.retry(job_id)

    assert ("cancelled", "queued") == (cancelled.state, again.state)


@pytest.mark.parametrize("call", [Client.get, Client.cancel, Client.retry, Client.wait])
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


async def test_a_client_outlives_its_loop(running: Running) -> None:
    client = Client(f"http://127.0.0.1:{running.port}")
    ids = [await asyncio.to_thread(asyncio.run, _submitted(client)) for _ in range(2)]

    assert 2 == len(set(ids))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (replies.Job, answers.Job),
        (replies.Page, answers.JobList),
        (replies.Receipt, answers.Receipt),
        (replies.JobError, answers.JobError),
        (replies.Progress, answers.Progress),
    ],
)
async def test_what_a_client_reads_is_what_the_gateway_writes(ours: type, theirs: type) -> None:
    known = {field.encode_name for field in msgspec.structs.fields(theirs)}

    assert set() == {field.encode_name for field in msgspec.structs.fields(ours)} - known


async def _submitted(client: Client) -> UUID:
    job_id = await client.submit("echo", HI)
    await client.close()
    return job_id
