"""Pages of schedules: each filter, and no schedule twice or never from page to page."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace

from persistence.questions.pages import Place
from persistence.schedules.make import create
from persistence.schedules.pages import Filter, page
from persistence.schedules.pause import pause
from persistence.schedules.schedule import Schedule
from persistence.store.database import Database
from tests.room.persistence.schedules.plans import HOURLY, ago, at, made
from wire.identity import fresh_id

SAID = {"name": "n", "tag": "t", "owner": "o", "job_type": "rare", "state": "active"}


def _place(schedule: Schedule) -> Place:
    return Place(schedule.created_at, schedule.id)


async def test_pages_follow_one_another(database: Database) -> None:
    tagged = [await made(database, tags=("paged",)) for _ in range(5)]
    seen: list[Schedule] = []
    while some := await page(database, Filter(tag="paged"), 2, _place(seen[-1]) if seen else None):
        seen += some

    assert tagged[::-1] == seen
    assert tagged[::-1] == (await page(database, Filter(), 100))[:5]


async def test_each_filter_and_all_together_find_what_they_name(database: Database) -> None:
    plan = replace(HOURLY, name="n", tags=("t", "u"), job_type="rare")
    wanted = await create(database, fresh_id(), plan, at(ago(1)), owner="o")
    assert wanted
    others = [await made(database) for _ in range(2)]
    await pause(database, others[0].id, None)
    all_said = SAID | {"since": wanted.created_at}
    assert set(all_said) == {field.name for field in fields(Filter)}

    for chosen in itertools.product([False, True], repeat=len(all_said)):
        said = dict(itertools.compress(all_said.items(), chosen))
        met = await page(database, Filter(**said), 100)  # type: ignore[arg-type]
        assert wanted in met
        assert not set(said) & set(SAID) - {"state"} or [wanted] == met
    assert [others[0].id] == [one.id for one in await page(database, Filter(state="paused"), 100)]
