"""GET /jobs/{id}/logs over lines as a worker's keeper writes them: the list, and the stream that follows."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from gateway.client.calls import Client
from gateway.openapi.operations import OPERATIONS
from persistence.attempts import attempt_logs
from persistence.attempts.attempt_logs import Piece
from tests.room.gateway.running import JOBS, Running, gateway
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

Event = tuple[str, str, dict[str, Any]]  # its id, its kind, what it says


async def said(running: Running, job_id: str, *numbers: int, lease: int = 1) -> None:
    """A worker writes these lines."""
    lines = [
        json.dumps({"at": "2026-11-21T12:00:00Z", "level": "info", "logger": None, "event": f"line {n}",
                    "fields": {"big": 10**20}})
        for n in numbers
    ]  # fmt: skip
    piece = Piece(UUID(job_id), lease, lease, numbers[0], numbers[-1], 1, "\n".join(lines))
    await attempt_logs.write(running.room.database, [piece])


@contextlib.asynccontextmanager
async def following(running: Running, job_id: str, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"{JOBS}/{job_id}/logs?follow=1{query}"
    async with running.client.get(path, headers=given) as response:
        yield Stream(response)


class Stream:
    """What a reader of events sees."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> Event | None:
        """The next event, or None at the end of the stream."""
        seen: dict[str, str] = {}
        async for line in self.response.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                seen[name] = value
            elif "data" in seen:
                return seen["id"], seen["event"], json.loads(seen["data"])
        return None

    async def rest(self) -> list[Event]:
        found = []
        while event := await self.next():
            found.append(event)
        return found


async def test_the_list_has_exactly_these_fields_and_those_of_its_example(running: Running) -> None:
    job_id = (await running.submit())["id"]
    await said(running, job_id, 1, 2)
    answer = await running.get(f"{JOBS}/{job_id}/logs")
    (operation,) = [one for one in OPERATIONS if one.name == "logsOfJob"]
    assert operation.examples
    (example,) = operation.examples.values()

    assert list(example["value"]) == list(answer)
    assert list(example["value"]["items"][0]) == list(answer["items"][0])
    assert [("line 1", {"big": 10**20}), ("line 2", {"big": 10**20})] == [
        (line["event"], line["fields"]) for line in answer["items"]
    ]


async def test_a_job_that_has_logged_nothing_has_no_lines_and_no_job_has_none(running: Running) -> None:
    job_id = (await running.submit())["id"]

    assert [] == (await running.get(f"{JOBS}/{job_id}/logs"))["items"]
    await running.get(f"{JOBS}/{uuid4()}/logs", status=404)
    await running.get(f"{JOBS}/{uuid4()}/logs?follow=1", status=404)
    await running.get(f"{JOBS}/{job_id}/logs?attempt=0", status=422)
    await running.get(f"{JOBS}/{job_id}/logs?follow=maybe", status=422)


async def test_a_stream_tells_what_is_there_and_what_comes_and_ends_with_the_job(running: Running) -> None:
    job_id = (await running.submit())["id"]
    await said(running, job_id, 1, 2)
    async with following(running, job_id) as stream:
        first = [await stream.next(), await stream.next()]
        await said(running, job_id, 3)
        third = await stream.next()
        await said(running, job_id, 1, lease=2)
        await running.finish(job_id)
        rest = await stream.rest()

    assert ["1.1", "1.2", "1.3"] == [event[0] for event in (*first, third) if event]
    assert third
    assert ("line", "line 3", 3) == (third[1], third[2]["event"], third[2]["number"])
    assert [("2.1", "line"), ("2.1.end", "end")] == [event[:2] for event in rest]
    assert {"state": "completed"} == rest[-1][2]
    assert "text/event-stream; charset=utf-8" == stream.response.headers["Content-Type"]
    assert ("no-store", "nosniff") == (
        stream.response.headers["Cache-Control"], stream.response.headers["X-Content-Type-Options"],
    )  # fmt: skip


async def test_who_comes_again_goes_on_where_it_was_and_rests_after_the_end(running: Running) -> None:
    job_id = (await running.submit())["id"]
    await said(running, job_id, 1, 2, 3)
    await running.finish(job_id)
    async with following(running, job_id, Last_Event_ID="1.2") as stream:
        behind = await stream.rest()
    async with following(running, job_id, Last_Event_ID="1.3.end") as stream:
        rested = stream.response.status
    async with following(running, job_id, Last_Event_ID="another's") as stream:
        strange = await stream.rest()

    assert ["1.3", "1.3.end"] == [event[0] for event in behind]
    assert 204 == rested
    assert ["1.1", "1.2", "1.3", "1.3.end"] == [event[0] for event in strange]


async def test_one_attempt_can_be_followed(running: Running) -> None:
    job_id = (await running.submit())["id"]
    await said(running, job_id, 1)
    await said(running, job_id, 1, lease=2)
    async with following(running, job_id, "&attempt=2") as stream:
        first = await stream.next()
        await said(running, job_id, 1, lease=3)
        await running.finish(job_id)
        rest = await stream.rest()

    assert first
    assert ["2.1", "end"] == [first[0], *[event[1] for event in rest]]


async def test_a_job_that_is_deleted_ends_its_stream(running: Running) -> None:
    job_id = (await running.submit())["id"]
    async with following(running, job_id) as stream:
        await running.delete(f"{JOBS}/{job_id}?purge=true")

        assert [("0.0.end", "end", {"state": None})] == await stream.rest()


async def test_so_many_may_follow_and_who_leaves_makes_room(running: Running) -> None:
    job_id = (await running.submit())["id"]
    running.room.following._most, before = 1, running.room.following._most
    try:
        async with following(running, job_id):
            refused = await running.get(f"{JOBS}/{job_id}/logs?follow=1", status=503)
        await running.finish(job_id)
        while True:
            async with following(running, job_id) as stream:
                if stream.response.status == 200:
                    break
            await asyncio.sleep(0.05)  # the one before has hung up; the gateway notices at its next look
    finally:
        running.room.following._most = before

    assert "/problems#unavailable" == refused["type"]


async def test_a_gateway_that_stops_lets_its_followers_go(stores: Stores) -> None:
    async with gateway(stores) as one:
        await one.topology_stands()
        job_id = (await one.submit())["id"]
        async with following(one, job_id) as stream:
            stopping = asyncio.ensure_future(one.room.listener.stop())

            assert [] == await stream.rest()
        await stopping


async def test_the_client_reads_them(running: Running, client: Client) -> None:
    job_id = (await running.submit())["id"]
    await said(running, job_id, 1, 2)
    lines = await client.logs(job_id, limit=1)

    assert [(2, "line 2", "info", 1)] == [(line.number, line.event, line.level, line.attempt) for line in lines]
