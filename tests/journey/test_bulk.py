"""Jobs in bulk, and unique ones, through all processes: each is done once."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from uuid import UUID, uuid4

import pytest

from tests.eventually import eventually
from tests.journey.api import JOBS, Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import ROOT, Stack

COMMANDS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "bulk.md").read_text(), re.DOTALL)


async def test_every_job_of_a_bulk_is_done_once(api: Api) -> None:
    """
    Sent twice over, as a client does that lost the answer.
    """
    lines = "\n".join(json.dumps({"type": "echo", "payload": {"number": number}}) for number in range(2_000))
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": uuid4().hex}
    first = await api.client.post(f"{JOBS}/bulk", content=lines, headers=headers)
    again = await api.client.post(f"{JOBS}/bulk", content=lines, headers=headers)
    ids = [UUID(item["id"]) for item in first.json()["items"]]

    async def done() -> bool:
        return not await api.sql("SELECT 1 FROM jobs WHERE id = ANY($1) AND state <> 'completed' LIMIT 1", ids)

    await eventually(done, within=60)
    rows = await api.sql("SELECT id, result FROM jobs WHERE id = ANY($1)", ids)
    attempts = await api.sql("SELECT count(*) FROM attempts WHERE job_id = ANY($1)", ids)

    assert (200, 200, 2_000) == (first.status_code, again.status_code, again.json()["duplicate"])
    assert {job_id: number for number, job_id in enumerate(ids)} == {
        row["id"]: json.loads(row["result"])["number"] for row in rows
    }
    assert 2_000 == attempts[0]["count"]


async def test_a_unique_job_s_end_makes_room_for_the_next(api: Api) -> None:
    said = {"type": "nap", "payload": {"seconds": 0.5, "x": uuid4().hex}, "unique": True}
    first, second = [(await api.client.post(JOBS, json=said)).json() for _ in range(2)]
    await api.finished(first["id"])
    third = (await api.client.post(JOBS, json=said)).json()

    assert (first["id"], True) == (second["id"], second["unique"])
    assert first["id"] != third["id"]


async def test_over_amqp_unique_is_refused_by_name(api: Api, rabbit: Rabbit) -> None:
    """
    The message is on its way to a worker before anybody could look for the other job.
    """
    body = json.dumps({"type": "echo", "payload": {}, "unique": True}).encode()
    job_id = str(uuid4())
    said = {"content_type": "application/json", "type": "echo", "message_id": job_id}
    await rabbit.publish("jobs.in", "job.echo.p5", body, **said)

    async def letter() -> str | None:
        rows = await api.sql("SELECT detail FROM dead_letters WHERE message_id = $1", job_id)
        return rows[0]["detail"] if rows else None

    assert "unique: is not taken over AMQP" in str(await eventually(letter))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_what_the_page_shows_can_be_pasted(stack: Stack) -> None:
    """
    Each command runs twice: the third knows its key, the fourth finds the job that stands for its own.
    """
    said = [json.loads(_run(command, stack.url)) for command in COMMANDS for _ in range(2)]

    assert ["accepted", "accepted", "invalid"] == [item["status"] for item in said[0]["items"]]
    assert "did you mean echo" in said[0]["items"][2]["problem"]["remedy"]
    assert (3, 3) == (said[2]["accepted"], said[3]["accepted"])
    assert [None, True, None, None] == [said[4].get("duplicate"), said[5]["duplicate"], said[5].get("unique"),
                                        said[6].get("unique")]  # fmt: skip
    assert (said[6]["id"], True) == (said[7]["id"], said[7]["unique"])


def _run(command: str, url: str) -> str:
    here = command.replace("http://127.0.0.1:8000", url)
    return subprocess.run(["sh", "-c", here], check=True, capture_output=True, text=True, timeout=120).stdout
