"""What the catalogue's jobs do to the world outside, when they die or lose Postgres in the middle of it.

A mail may go twice and is known by its Message-ID; a backup without its manifest is none; a report and a dataset are
there once and whole.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from actors.trades.backups.manifest import Stem, stem
from actors.trades.backups.restore import restore
from actors.trades.backups.retention import UNDER_WAY
from actors.trades.backups.wanted import Wanted
from deploy.servers.postgres import Postgres
from tests.eventually import eventually
from tests.faults.crash_table.scene import WITHIN, Account, Scene
from tests.journey.api import JOBS
from tests.mail_server import mail_server
from wire.errors import Refused
from wire.slices.artifacts import Artifacts
from wire.slices.backup import Backup

ADA: Final = "ada@example.org"


@pytest.mark.parametrize(("point", "mails"), [("mail, taken and not written", 2), ("mail, written", 1)])
async def test_a_worker_dies_when_the_server_has_taken_its_mail(
    scene: Scene, mail_port: int, point: str, mails: int
) -> None:
    """
    Before the receipt is written nobody can know, and the mail goes again under the same Message-ID; after it, never.
    """
    async with mail_server(port=mail_port) as server:
        job_id = await scene.kill_at(point, scene.api.submit("mails", {"to": [ADA]}))
        became = await scene.taken_over(str(job_id))
    job = await scene.api.job(str(job_id))

    assert Account(starts=0, outcomes=("crashed", "completed"), crashes=1) == became
    assert [[ADA]] * mails == [one.recipients for one in server.taken]
    assert {job["result"]["message_id"]} == {one.mail["message-id"] for one in server.taken}
    assert str(job_id) in job["result"]["message_id"]


async def test_a_backup_whose_process_dies_before_its_manifest_is_none(scene: Scene) -> None:
    """
    The retry makes a whole one; the half is never taken for a backup, and goes with a later one when it is old enough.
    """
    place, folder = scene.stack.folder / "backups", scene.stack.folder / "to_keep"
    folder.mkdir()
    (folder / "letter").write_text("dear all")
    asked = {"backup_type": "files", "source": str(folder), "destination": place.as_uri() + "/", "keep": 1}
    job_id = await scene.kill_at("backup, stored and not told of", scene.api.submit("backup_task", asked))
    became = await scene.account(str(job_id))
    result = (await scene.api.job(str(job_id)))["result"]
    whole = _name(result["location"])
    [half] = [path for path in place.iterdir() if path.name not in (whole, _name(result["manifest"]))]
    newest = await _restored(f"{place.as_uri()}/", scene.stack.folder / "back")
    with pytest.raises(Refused, match=f"there is no {stem(half.name)}.json"):
        await _restored(half.as_uri(), scene.stack.folder / "half")
    old = _older(half)
    after = await scene.api.finished(await scene.api.submit("backup_task", asked))
    kept = {path.name for path in place.iterdir()}
    shutil.rmtree(place)

    assert Account(starts=0, outcomes=("retry", "completed"), attempt=2, run=2) == became
    assert (whole, "dear all") == (newest, (scene.stack.folder / "back" / "letter").read_text())
    assert [] == result["removed"]
    assert {whole, _name(result["manifest"]), old.name} == set(after["result"]["removed"])
    assert {_name(after["result"][what]) for what in ("location", "manifest")} == kept


def _name(address: str) -> str:
    return address.rpartition("/")[2]


async def _restored(address: str, folder: Path) -> str:
    """Which one it was."""
    return (await restore(Wanted(address, str(folder)), Backup(), Artifacts(), lambda _: None)).file


def _older(half: Path) -> Path:
    """As if two days had gone by, and an hour."""
    found = stem(half.name)
    assert found
    begun = Stem(found.series, found.at - UNDER_WAY * 1.1, found.job_id)
    return half.rename(half.with_name(half.name.replace(str(found), str(begun))))


REPORT: Final = {"report_type": "activity", "format": "csv", "recipients": [ADA]}
DATASET: Final = {"dataset": "sales_data", "operation": "convert", "parameters": {"format": "ndjson"}}


@pytest.mark.parametrize(
    ("point", "job_type", "payload", "mails"),
    [
        ("report, while it counts", "report_generation", REPORT, 1),
        ("artifact, stored and not listed", "data_processing", DATASET, 0),
    ],
)
async def test_postgres_goes_away_in_the_middle_of_it(
    scene: Scene, postgres: Postgres, mail_port: int, point: str, job_type: str, payload: dict[str, Any], mails: int
) -> None:
    """
    The attempt that meets the outage fails and is tried again; what it stored by half is listed nowhere.
    """
    waited = len(scene.stack.logged("actors", "record_waits_for_database"))
    async with scene.frozen_at(point, scene.api.submit(job_type, payload)) as job_id:
        await asyncio.to_thread(postgres.stop)
    await eventually(lambda: len(scene.stack.logged("actors", "record_waits_for_database")) > waited, within=WITHIN)
    await asyncio.to_thread(postgres.start)
    async with mail_server(port=mail_port) as server:
        became = await scene.account(job_id)
        became_of_mails = await scene.accounts(await scene.children(job_id))
    listed = (await scene.api.get(f"{JOBS}/{job_id}/artifacts"))["items"]
    content = (await scene.api.client.get(listed[0]["links"]["self"])).content
    await scene.api.sql("UPDATE artifacts SET sweep_after = now() WHERE job_id = $1 AND state <> 'kept'", job_id)
    stored = scene.stack.folder / ".warren" / "artifacts"
    await eventually(lambda: len(list(stored.rglob(f"{job_id}.*"))) == 1, within=WITHIN)

    assert ("completed", 1) == (became.state, became.outcomes.count("completed"))
    assert len(became.outcomes) > 1
    assert [len(content)] == [one["size_bytes"] for one in listed]
    assert ["completed"] * mails == [one.state for one in became_of_mails]
    assert [[ADA]] * mails == [one.recipients for one in server.taken]
