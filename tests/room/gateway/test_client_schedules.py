"""A client makes schedules, once however often its answer is lost, and does with them what people do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.client.blocking import SyncClient
from gateway.client.calls import Client
from gateway.client.failures import NotConfirmed, NotFound
from tests.room.gateway.running import Running
from tests.room.gateway.stumbling import Stumbling
from wire.errors import Refused

pytestmark = pytest.mark.asyncio(loop_scope="module")
HI = {"message": "hi"}
NIGHTLY = {"cron_expression": "30 2 * * *", "timezone": "Europe/Berlin"}


async def test_a_schedule_is_made_once_however_often_its_answer_is_lost(
    running: Running, proxy: Stumbling, client: Client
) -> None:
    proxy.lose = 2
    made = await client.make_schedule(
        "lost", "echo", HI, interval_seconds=timedelta(minutes=5), starts_at=datetime(2099, 1, 1, tzinfo=UTC),
        tags=["a"], priority="high", overlap="buffer_all", exclude=["2099-12-24"],
    )  # fmt: skip

    assert ("lost", 300.0, 8, ("a",), True) == (
        made.name, made.interval_seconds, made.priority, made.tags, made.duplicate,
    )  # fmt: skip
    assert datetime(2099, 1, 1, tzinfo=UTC) == made.starts_at == made.next_run_time
    assert 1 == len(await running.sql("SELECT 1 FROM warren.schedules WHERE name = 'lost'"))


async def test_a_schedule_that_nobody_confirms_is_told_with_its_id(proxy: Stumbling) -> None:
    proxy.lose = 100
    async with Client(proxy.url, patience_seconds=0.3) as hasty:
        with pytest.raises(NotConfirmed, match="that the schedule is safe"):
            await hasty.make_schedule("n", "echo", HI, cron_expression="@daily")
    proxy.lose = 0


async def test_what_cannot_be_is_refused_by_name(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        await client.make_schedule("n", "echo", HI, cron_expression="61 * * * *")

    assert "cron_expression" == refused.value.field


async def test_an_edit_changes_what_it_says(client: Client) -> None:
    made = await client.make_schedule("n", "echo", HI, max_runs=3, **NIGHTLY)  # type: ignore[arg-type] - typed by name
    edited = await client.edit_schedule(made.id, payload={"message": "ho"}, max_runs=None, once_at=4_070_908_800)

    assert ({"message": "ho"}, None, None, "n", 2) == (
        edited.payload, edited.max_runs, edited.cron_expression, edited.name, edited.version,
    )  # fmt: skip


async def test_it_is_paused_listed_resumed_and_deleted(client: Client) -> None:
    made = await client.make_schedule("standing", "echo", HI, cron_expression=["@daily", "5 4 * * *"])
    paused = await client.pause_schedule(made.id, "moving", by="ada")
    (listed,) = (await client.schedules(state="paused", name="standing")).items
    resumed = await client.resume_schedule(made.id)
    await client.delete_schedule(made.id)

    assert ("paused", "ada", "moving", paused) == (paused.state, paused.paused_by, paused.paused_note, listed)
    assert ("active", "waiting") == (resumed.state, resumed.why.cause)
    with pytest.raises(NotFound):
        await client.schedule(made.id)


async def test_a_trigger_whose_answer_is_lost_runs_once(proxy: Stumbling, client: Client) -> None:
    made = await client.make_schedule("n", "echo", HI, cron_expression="@daily")
    proxy.lose = 1
    run = await client.trigger_schedule(made.id)
    runs = await client.schedule_runs(made.id)
    job = await client.get(str(run.job_id))
    jobs = await client.list(schedule_id=made.id)

    assert [job.id] == [one.id for one in jobs.items]
    assert [run.job_id] == [one.job_id for one in runs.items]
    assert (made.id, run.due_at) == (job.schedule_id, job.due_at)


async def test_a_past_day_is_counted(client: Client) -> None:
    made = await client.make_schedule("n", "echo", HI, cron_expression="0 * * * *")
    day = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 23, tzinfo=UTC)

    assert 24 == await client.backfill_schedule(made.id, *day, dry_run=True)


async def test_what_is_there_and_what_is_only_said_are_shown_alike(client: Client) -> None:
    made = await client.make_schedule("n", "echo", HI, **NIGHTLY)  # type: ignore[arg-type] - typed by name
    after = datetime(2027, 3, 26, tzinfo=UTC)
    saved = await client.preview_schedule(made.id, n=3, after=after)
    said = await client.preview_schedule(n=3, after=after, **NIGHTLY)  # type: ignore[arg-type] - typed by name

    assert [one.local for one in saved.items] == [one.local for one in said.items]
    assert (saved.sentence, 3, True) == (said.sentence, len(said.items), bool(said.warnings))
    with pytest.raises(TypeError):
        await client.preview_schedule(made.id, cron_expression="@daily")


async def test_the_same_calls_without_a_loop(running: Running) -> None:
    def make_and_read() -> tuple[str, str]:
        with SyncClient(f"http://127.0.0.1:{running.port}") as warren:
            made = warren.make_schedule("n", "echo", HI, interval_seconds=60)
            return made.state, warren.schedule(made.id).name

    assert ("active", "n") == await asyncio.to_thread(make_and_read)
