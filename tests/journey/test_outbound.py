"""A job that is told to ask for Warren itself is not answered, and nobody learns where Warren is."""

from __future__ import annotations

import pytest

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import Stack


@pytest.mark.parametrize("url", ["{gateway}/api/v1/stats?key=s3cr3t", "http://localhost/?key=s3cr3t"])
async def test_a_request_to_where_warren_is_fails_for_good(api: Api, stack: Stack, url: str) -> None:
    """
    The operators' log has the address that a name leads to; the job, its log and its error do not.
    """
    job = await api.finished(await api.submit("http_request", {"url": url.format(gateway=stack.url)}))
    lines = await api.client.get(f"/api/v1/jobs/{job['id']}/logs")

    def refused() -> list[str]:
        told = stack.logged("actors", "outbound_refused")
        return [line["address"] for line in told if line["job_id"] == job["id"]]

    assert ("failed", "permanent", 1) == (job["state"], job["reason"], job["attempt"])
    assert "WARREN_OUTBOUND_ALLOW" in job["error"]["message"]
    assert "s3cr3t" not in str(job["error"])
    assert "outbound_refused" not in lines.text
    assert stack.url in url.format(gateway=stack.url) or "127.0.0.1" not in str(job["error"])
    assert set(await eventually(refused)) <= {"127.0.0.1", "::1"}
