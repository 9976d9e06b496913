"""A worker runs a job whose claim Postgres has forgotten: the row learns it again, and all is as before.

What a crash of Postgres leaves behind is written into the row by hand: it waits, as before the claim, and its message
is with the worker.  That a crash does so is seen in tests/room/persistence/test_forgotten_claims.py.
"""

from __future__ import annotations

from tests.eventually import eventually
from tests.journey.api import JOBS, Api

FORGET = """
UPDATE jobs SET state = 'queued', lease = lease - 1, attempt = attempt - 1, holder = NULL, started_at = NULL
 WHERE id = $1 AND state = 'running' RETURNING id
"""


async def test_a_heartbeat_reminds_the_row_which_can_then_be_cancelled(api: Api) -> None:
    job_id = await api.submit("endless")
    await eventually(lambda: api.is_running(job_id))
    assert await api.sql(FORGET, job_id)

    await eventually(lambda: api.is_running(job_id))
    await api.client.post(f"{JOBS}/{job_id}/cancel")
    job = await api.finished(job_id)

    assert ("cancelled", 1) == (job["state"], job["attempt"])
    assert [(1, "cancelled")] == [(one["attempt"], one["outcome"]) for one in await api.attempts(job_id)]
