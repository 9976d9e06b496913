"""What is shown of the due times to come, before a schedule is made and after."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest

from tests.room.gateway.running import Running
from tests.room.gateway.test_schedules import SCHEDULES, asked, at, instant, made
from wire.times.fires import dues

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_nobody_waits_for_a_long_preview(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set[int]()

    def noted(*asked: Any) -> list[datetime]:
        threads.add(threading.get_ident())
        return dues(*asked)

    schedule = await made(running)
    monkeypatch.setattr("gateway.schedules.preview.dues", noted)
    saved = await asked(running, "GET", at(schedule, "/preview?n=1000"))
    unsaved = await asked(running, "POST", f"{SCHEDULES}/preview?n=1000", {"cron_expression": "30 2 * * *"})

    assert threads
    assert threading.get_ident() not in threads
    assert (1000, 1000) == (len(saved["items"]), len(unsaved["items"]))


async def test_a_preview_shows_the_clock_change(running: Running) -> None:
    schedule = await made(running, spread_seconds=60)
    saved = await asked(running, "GET", at(schedule, "/preview?n=3&after=2027-03-26T12:00:00Z"))
    unsaved = await asked(
        running, "POST", f"{SCHEDULES}/preview?n=3",
        {"cron_expression": "30 2 * * *", "timezone": "Europe/Berlin", "after": "2027-03-26T12:00:00Z"},
    )  # fmt: skip

    assert ["2027-03-27T02:30:00+01:00", "2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"] == [
        one["local"] for one in saved["items"]
    ]
    assert [one["due_at"] for one in saved["items"]] == [one["due_at"] for one in unsaved["items"]]
    assert all(instant(one["due_at"]) <= instant(one["fires_at"]) for one in saved["items"])
    assert [None] * 3 == [one["fires_at"] for one in unsaved["items"]]
    assert "Europe/Berlin" in unsaved["sentence"]
    assert saved["warnings"]
    assert unsaved["more"]


async def test_a_preview_ends_with_the_schedule(running: Running) -> None:
    schedule = await made(running, max_runs=2)
    limited = await asked(running, "GET", at(schedule, "/preview"))
    once = await asked(running, "POST", f"{SCHEDULES}/preview", {"once_at": 4_070_908_800, "name": "n"})

    assert (2, False) == (len(limited["items"]), limited["more"])
    assert (["2099-01-01T00:00:00Z"], False) == ([one["due_at"] for one in once["items"]], once["more"])
    for field, wrong in (("n", {"n": 0}), ("n", {"n": 1_001}), ("after", {"after": "soon"}), ("nn", {"nn": 1}),
                         ("priority", {"priority": 99})):  # fmt: skip
        body = {"interval_seconds": 5} | wrong
        assert field == (await asked(running, "POST", f"{SCHEDULES}/preview", body, 422))["field"]
