"""docs/outbound.md says what is true: its job and its test run as they stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from dramatiq import broker as dramatiq_broker

from actors.broker import JobBroker
from actors.trades.outbound import here
from actors.trades.outbound.failures import Forbidden
from tests.room.actors.outbound_server import Asked, Server
from warren import inline
from wire.slices import Limits

PAGE = (Path(__file__).parents[3] / "docs/outbound.md").read_text()


@pytest.fixture
def blocks() -> Iterator[dict[str, Any]]:
    """The page's Python, one block after the other."""
    before = dramatiq_broker.global_broker
    dramatiq.set_broker(JobBroker("amqp://nobody:nothing@127.0.0.1:1/", Limits(), "test"))
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)
    yield names
    dramatiq_broker.global_broker = before


async def test_the_job_and_its_test_run_as_they_stand_there(blocks: dict[str, Any]) -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer("200 OK" if asked.path == "/page" else "410 Gone")

    async with Server(reply).listening() as server:
        await blocks["test_a_link_that_works"](server)
        with here.outbound(allow=["127.0.0.1"], ports="any"):
            gone = await inline(blocks["check_link"], {"url": f"{server.url}/gone"})
        closed = await inline(blocks["check_link"], {"url": f"{server.url}/page"})

    assert ("failed", "it is gone") == (gone.ended, str(gone.error))
    assert ("failed", Forbidden) == (closed.ended, type(closed.error))
