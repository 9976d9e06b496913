"""`warren schedules` against a gateway: what a person types, what is printed, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from gateway.client.calls import Client
from tests.room.gateway.commands import typed
from tests.room.gateway.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.usefixtures("proxy")
async def test_a_schedule_is_shown_paused_resumed_and_triggered_by_its_name(
    running: Running, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    when = {"cron_expression": "0 9 * * mon", "timezone": "Europe/Berlin"}
    made = await client.make_schedule("weekly report", "echo", {"message": "hi"}, **when)  # type: ignore[arg-type]
    code, triggered, _ = await typed(running, capsys, "schedules", "trigger", "weekly report")
    shown = await typed(running, capsys, "schedules", "show", str(made.id), "-n", "2")
    paused = await typed(
        running, capsys, "schedules", "pause", "weekly report", "--note", "the printer moves", "--by", "ada"
    )
    stands = await client.schedule(made.id)
    still = await typed(running, capsys, "schedules", "show", "weekly report")
    resumed = await typed(running, capsys, "schedules", "resume", "weekly report")
    job = await client.get(triggered[0])
    rule = (await client.preview_schedule(made.id)).sentence

    assert (0, 1, made.id) == (code, len(triggered), job.schedule_id)
    assert "weekly report" == shown[1][0]
    assert rule in shown[1]
    assert 2 == sum("  Mon " in line and "  in " in line for line in shown[1])
    assert any(f"triggered  fired  job {job.id} queued" in line for line in shown[1])
    assert ("paused", "ada", "the printer moves") == (stands.state, stands.paused_by, stands.paused_note)
    assert f"  {stands.why.sentence}" in paused[1]
    assert f"{rule} (if it were not paused)" in still[1]
    assert any(line.startswith("  (active: schedule ") for line in resumed[1])


async def test_they_are_listed_page_by_page(
    running: Running, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    tag = uuid4().hex
    made = [(await client.make_schedule(f"n {n}", "echo", {"message": "hi"}, cron_expression="@daily", tags=[tag])).id
            for n in range(3)]  # fmt: skip
    code, first, _ = await typed(running, capsys, "schedules", "list", "--tag", tag, "--limit", "2")
    rest = await typed(running, capsys, "schedules", "list", "--tag", tag, "--cursor", first[-1].rpartition(" ")[2])
    none = await typed(running, capsys, "schedules", "list", "--tag", uuid4().hex)
    by_itself = await typed(running, capsys, "schedules")

    assert (0, ["id", "state", "next", "run", "name", "job", "type"]) == (code, first[0].split())
    assert [str(one) for one in reversed(made)] == [line.split()[0] for line in [*first[1:3], *rest[1][1:]]]
    assert f"{datetime.now(UTC):%Y}" in first[1] or f"{datetime.now(UTC).year + 1}" in first[1]
    assert (["no schedule"], str(made[-1])) == (none[1], by_itself[1][1].split()[0])


async def test_what_is_not_made_yet_is_shown(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("preview", "--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "-n", "400")
    code, shown, _ = await typed(running, capsys, "schedules", *words)
    both = await typed(running, capsys, "schedules", "preview", "--every", "90", "some name")

    assert (0, "At 02:30 every day, in Europe/Berlin") == (code, shown[0])
    assert any("does not exist" in line for line in shown)
    assert (1, [], 1) == (both[0], both[1], len(both[2]))


async def test_what_cannot_be_done_is_one_sentence(
    running: Running, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        await client.make_schedule("twin", "echo", {"message": "hi"}, cron_expression="@daily")
    told = [await typed(running, capsys, "schedules", *words) for words in (
        ("pause", "nobody's"), ("show", str(uuid4())), ("resume", "twin"), ("preview", "--cron", "61 * * * *"),
    )]  # fmt: skip
    starts = ["schedule: none has the name", "id: there is no schedule", "schedule: several have the name", "cron_exp"]

    assert [(1, [], 1)] * 4 == [(code, out, len(err)) for code, out, err in told]
    assert [True] * 4 == [
        err[0].partition(": ")[2].startswith(start) for (_, _, err), start in zip(told, starts, strict=True)
    ]
