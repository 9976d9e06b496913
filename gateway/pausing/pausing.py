"""Pause and resume a queue or a job type: written first, then the workers are told to ask.

The row is what counts; the hint only makes it sooner, and a worker that misses it learns the same from its next
heartbeat.  Knows no routes: whether there is such a queue or type is theirs to say.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from gateway.entrance import query
from gateway.entrance.body import read_json_body
from gateway.entrance.door import CALLER
from gateway.pausing import pause_request
from gateway.pausing.hints import Hints
from persistence.declared import pauses
from persistence.declared.pauses import Kind
from persistence.store.database import Database
from wire.control import beat_hint

MOST_BYTES: Final = 16_384


class Pausing:
    """What the routes of queues and of job types do alike."""

    def __init__(self, database: Database, hints: Hints) -> None:
        self._database, self._hints = database, hints

    async def pause(self, request: web.Request, kind: Kind, name: str) -> None:
        said = await _said(request)
        await pauses.pause(self._database, kind, name, by=said.by, note=said.note)
        self._hints.give(beat_hint())

    async def resume(self, request: web.Request, kind: Kind, name: str) -> None:
        await _said(request)
        await pauses.resume(self._database, kind, name)
        self._hints.give(beat_hint())


async def _said(request: web.Request) -> pause_request.Said:
    query.read(request, {})
    body = await read_json_body(request, MOST_BYTES) if request.body_exists else b""
    return pause_request.read(body, request[CALLER])
