"""Properties of a foreign service do no harm: each of them is taken at the door and none travels on.

A republish with them would close our channel (`user_id`), route a second copy (`CC`), delete the message
(`expiration`) or let a restart forget it (`delivery_mode` 1); so every job here is tried twice.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack

PROPERTIES: dict[str, dict[str, Any]] = {
    "user_id": {"user_id": "the login"},
    "CC": {"headers": {"CC": ["job.echo.p1", "job.tell.p3"]}},
    "BCC": {"headers": {"BCC": ["job.echo.p1"]}},
    "expiration": {"expiration": "30000"},
    "delivery_mode": {"delivery_mode": 1},
    "no priority": {"priority": None},
    "a run of its own": {"headers": {"because": "me", "attempt": 7, "x-death": [{"count": 9, "reason": "expired"}]}},
}


@pytest.mark.parametrize("said", PROPERTIES.values(), ids=list(PROPERTIES))
async def test_a_job_with_foreign_properties_is_done_like_any_other(
    api: Api, stack: Stack, rabbit: Rabbit, said: dict[str, Any]
) -> None:
    job_id, lost = str(uuid.uuid4()), len(stack.logged("actors", "consumer_lost"))
    said = {name: urlsplit(stack.amqp_url).username if name == "user_id" else value for name, value in said.items()}
    plain = {"content_type": "application/json", "type": "flaky", "message_id": job_id, "priority": 5}
    body = json.dumps({"type": "flaky", "payload": {"times": 1}}).encode()
    await rabbit.publish("jobs.in", "job.flaky.p5", body, **{**plain, "delivery_mode": 2, **said})
    job = await api.finished(await api.born(job_id))

    assert ("completed", 2, 5) == (job["state"], job["attempt"], job["priority"])
    assert ["completed", "retry"] == sorted(attempt["outcome"] for attempt in await api.attempts(job_id))
    assert lost == len(stack.logged("actors", "consumer_lost"))
