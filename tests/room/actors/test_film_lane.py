"""`process_video` and `custom` in the child process of a lane at work: files, progress and artifacts cross it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import dramatiq

from actors.catalogue.custom import custom
from actors.catalogue.process_video import process_video
from persistence.questions.reads import one_job
from persistence.store.database import Database
from tests.conftest import Places
from tests.room.actors.reading_lane import Reading
from tests.room.actors.running import running_lane
from wire.settings import Children
from wire.states import State

MIGRATION = {"source": "legacy_db", "destination": "new_db", "batch_size": 1000}


def declares() -> None:
    for actor in (process_video, custom):
        dramatiq.get_broker().declare_actor(actor)


async def test_films_and_operations_on_a_lane(places: Places, database: Database, tmp_path: Path) -> None:
    """
    The second film is made of the first one's artifact.  All in one child process, one after the other.
    """
    stores = {"AMQP_URL": places.amqp_url, "DATABASE_URL": database._url}
    environment = {**os.environ, **stores, "WARREN_MIGRATION_FOLDER": str(tmp_path / "databases")}
    one = Children(children=1)
    async with running_lane(places, database, declares=declares, children=one, environment=environment) as running:
        lane = Reading(running, database)
        first = await lane.send("process_video", video_url="sample:clip", output_format="mp4", duration=2)
        film = await lane.result_of(first)
        smaller = await lane.result("process_video", artifact=film["artifact"], output_format="webm", width=64)
        moved = await lane.result("custom", operation="data_migration", parameters=MIGRATION)
        unfit = await lane.error("process_video", video_url="sample:sales_data")
        job = await one_job(database, first)
        kept = await database.fetch("SELECT name, size_bytes FROM artifacts WHERE job_id = $1", first)

    assert ("h264", "aac", 2.0, 50) == tuple(film[name] for name in ("video_codec", "audio_codec", "seconds", "frames"))
    assert ("clip.webm", 64, 36, 50) == tuple(smaller[name] for name in ("name", "width", "height", "frames"))
    assert {"operation": "data_migration"}.items() <= moved.items()
    assert (10_000, 10) == (moved["result"]["rows"], moved["result"]["batches"])
    assert (tmp_path / "databases" / "new_db.sqlite").exists()
    assert unfit.startswith("permanent: payload.video_url: it is not a film")
    assert job is not None
    assert (State.COMPLETED, (1.0, "2.0 s of film")) == (job.state, (job.progress, job.note))
    assert [("clip.mp4", film["size_bytes"])] == [(row["name"], row["size_bytes"]) for row in kept]
    assert json.loads(job.result or "") == film
