"""What a job leaves behind can be read beside it, whatever its size, and goes with it."""

from __future__ import annotations

import pytest

from gateway.client.calls import Client
from tests.journey.api import Api
from tests.journey.stack import Stack

ARTIFACTS = "/api/v1/artifacts"


@pytest.mark.parametrize("kind", ["leaves", "leaves_on_thread"])
async def test_what_a_job_saves_is_listed_and_read_as_it_was(api: Api, kind: str) -> None:
    job_id = await api.submit(kind, {"name": "Grüße 1.html", "text": "<p>hello</p>", "times": 3})
    job = await api.finished(job_id)
    listed = (await api.get(job["links"]["artifacts"]))["items"]
    first = await api.client.get(listed[0]["links"]["self"])

    assert ("completed", {"id": listed[0]["id"], "size": 36}) == (job["state"], job["result"])
    assert ["Grüße 1.html", *(["unheard.txt"] if kind == "leaves_on_thread" else [])] == [a["name"] for a in listed]
    assert (b"<p>hello</p>" * 3, "text/html") == (first.content, first.headers["content-type"])
    assert "sandbox" in first.headers["content-security-policy"]
    assert first.headers["content-disposition"].startswith("attachment;")


async def test_a_large_result_is_an_artifact_and_a_client_returns_it_as_ever(api: Api, stack: Stack) -> None:
    small, large = [await api.submit("returns_much", {"characters": number}) for number in (32_700, 300_000)]
    kept, job = await api.all_finished(small, large)
    (result,) = (await api.get(job["links"]["artifacts"]))["items"]
    streamed = await api.client.get(job["links"]["result"])
    async with Client(stack.url) as warren:
        whole = await warren.wait(large)
        copy = await warren.read_artifact(result["id"])
        listed = await warren.list(type="returns_much")

    assert (None, None, {"text": "ü" * 32_700}) == (kept["result_artifact"], kept["error"], kept["result"])
    assert {"text": "ü" * 32_700} == (await api.client.get(kept["links"]["result"])).json()
    assert (None, {"id": result["id"], "size_bytes": 600_011}) == (job["result"], job["result_artifact"])
    assert ("result", 600_011) == (result["kind"], result["size_bytes"])
    assert {"text": "ü" * 300_000} == whole.result == streamed.json()
    assert copy == streamed.content
    assert [whole.result_artifact, None] == [
        one.result_artifact for one in listed.items if str(one.id) in (small, large)
    ]
