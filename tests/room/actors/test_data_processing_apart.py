"""A million records in a child process with a bound to its memory: the figures are right and the way there is told."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

import dramatiq

from actors.catalogue.data_processing import process
from actors.configured import configured_as
from persistence.questions.reads import Job, one_job
from persistence.store.database import Database
from tests.conftest import Places
from tests.eventually import eventually
from tests.room.actors.running import publish, running_lane
from wire.settings import Children
from wire.slices.datasets import Datasets
from wire.states import FINAL, State

RECORDS = 1_000_000


async def test_a_million_records_are_grouped_in_a_child_process(
    places: Places, database: Database, tmp_path: Path
) -> None:
    """
    Whoever looks meanwhile sees how many records have been read.
    """
    with (tmp_path / "numbers.csv").open("w") as file:
        file.write("shop,amount,count\n")
        for start in range(0, RECORDS, 10_000):
            file.writelines(f"{'NSEW'[n % 4]},{n % 100}.25,{n % 7}\n" for n in range(start, start + 10_000))
    environment = {
        **os.environ, "WARREN_AMQP_URL": places.amqp_url, "WARREN_DATABASE_URL": database._url,
        "WARREN_DATASETS": str(tmp_path),
    }  # fmt: skip
    asked = {"by": "shop", "aggregations": {"amount": "sum", "count": ["max", "count"]}}
    payload = {"dataset": "numbers", "operation": "group_by", "parameters": asked}
    body = json.dumps({"type": "data_processing", "payload": payload, "max_retries": 0}).encode()
    job_id, notes = uuid.uuid4(), set[str]()

    def declares() -> None:
        dramatiq.get_broker().declare_actor(process)

    async def ended() -> Job | None:
        found = await one_job(database, job_id)
        if found is not None and found.note:
            notes.add(found.note)
        return found if found is not None and found.state in FINAL else None

    with configured_as(Datasets(datasets=(str(tmp_path),))):  # the lane's, as the environment is the child's
        async with running_lane(
            places, database, declares=declares, children=Children(children=1), environment=environment
        ):
            key = "job.data_processing.p5"
            await publish(places.amqp_url, "jobs.in", key, body, type="data_processing", message_id=str(job_id))
            job = await eventually(ended, within=60)

    assert job is not None
    assert (State.COMPLETED, None) == (job.state, job.error_message)
    result = json.loads(job.result or "null")
    fraction, quarter = 0.25 * RECORDS / 4, RECORDS // 4
    sums = [sum(n % 100 for n in range(shop, RECORDS, 4)) + fraction for shop in (2, 0, 1, 3)]
    assert [
        {"shop": shop, "amount_sum": amount, "count_max": 6, "count_count": quarter}
        for shop, amount in zip("ENSW", sums, strict=True)
    ] == result["table"]
    assert RECORDS == result["records"]
    assert f"{RECORDS:,} of {RECORDS:,} records" in notes
