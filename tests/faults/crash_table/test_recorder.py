"""The recorder dies: the batch in its hands comes again, and makes nothing a second time."""

from __future__ import annotations

import json
import uuid
from typing import Final

import pytest

from tests.eventually import eventually
from tests.faults.crash_table.scene import WITHIN, WORKERS, Account, Scene


def nap(**fields: object) -> bytes:
    """A body; a field that only one row's message bears keeps that row's crash from striking at another message."""
    return json.dumps({"type": "nap", "payload": {}, **fields}).encode()


TABLE: Final = [
    # the recorder dies at, with this message, and leaves so many rows
    ("birth, before its commit", nap(), 0),
    ("birth, before its ack", nap(x_struck_as_a_birth=True), 1),
]


@pytest.mark.parametrize(("point", "body", "left"), TABLE, ids=[row[0] for row in TABLE])
async def test_the_recorder_dies_while_it_records_a_birth(scene: Scene, point: str, body: bytes, left: int) -> None:
    """
    The workers are frozen, or their own copy of the message would bear the row before the recorder is back.
    """
    job_id = str(uuid.uuid4())
    await scene.crew(WORKERS)
    with scene.frozen_workers():
        await scene.kill_at(point, scene.publish("nap", job_id, body))
        at_death = await scene.count("jobs WHERE id = $1", job_id)
        await scene.revive("recorder")
        await eventually(lambda: scene.count("jobs WHERE id = $1 AND state = 'queued'", job_id), within=WITHIN)

    assert (left, Account()) == (at_death, await scene.account(job_id))


async def test_the_recorder_dies_after_it_kept_a_letter(scene: Scene) -> None:
    """
    One letter, however often the message comes.
    """
    message_id = str(uuid.uuid4())
    body = nap(x_struck_as_a_letter=True)
    await scene.kill_at("letter, before its ack", scene.publish("nowhere_known", message_id, body))
    at_death = await scene.count("dead_letters WHERE message_id = $1", message_id)
    await scene.revive("recorder")
    await _has_come_to_a_marker(scene)

    assert (1, 1) == (at_death, await scene.count("dead_letters WHERE message_id = $1", message_id))


async def test_the_recorder_dies_after_it_put_an_unrouted_job_back_into_the_outbox(scene: Scene) -> None:
    """
    The message that fell out comes again and is an old one by then: no second row in the outbox.
    """
    await scene.bind("nap", bound=False)
    job_id = str(await scene.kill_at("unrouted, back in the outbox", scene.api.submit("nap")))
    await scene.hold()  # while nothing is bound it would fall out again
    await scene.revive("recorder")
    await _has_come_to_a_marker(scene)
    waiting = await scene.count("outbox WHERE job_id = $1", job_id)
    await scene.bind("nap", bound=True)
    await scene.hurry()

    assert (1, Account(run=2)) == (waiting, await scene.account(job_id))


async def _has_come_to_a_marker(scene: Scene) -> None:
    """The recorder has been through what was unrouted before this."""
    message_id = str(uuid.uuid4())
    await scene.publish("nowhere_known", message_id, nap())
    await eventually(lambda: scene.count("dead_letters WHERE message_id = $1", message_id), within=WITHIN)
