"""A proxy before a gateway that stumbles: it passes a request on, and loses or doubts so many of the answers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web


class Stumbling:
    """What it has seen, and what it still has to do wrong."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.url = ""
        self.lose, self.refuse, self.doubt = 0, 0, 0
        self.bodies: list[bytes] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.bodies.append(body)
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=503, headers={"Retry-After": "0"})
        headers = {"Content-Type": request.content_type} if body else {}
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, f"{self._target}{request.path_qs}", data=body, headers=headers) as answer,
        ):
            text = await answer.read()
            if self.doubt and answer.ok:  # as a gateway that lost its stores while they answered
                self.doubt -= 1
                text = re.sub(b'"status":"(accepted|duplicate)"', b'"status":"unavailable"', text)
            told = web.Response(status=answer.status, body=text, content_type=answer.content_type)
        if self.lose:
            self.lose -= 1
            assert request.transport is not None
            request.transport.close()
        return told


@asynccontextmanager
async def stumbling(target: str) -> AsyncIterator[Stumbling]:
    one = Stumbling(target)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", one.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield one
    finally:
        await runner.cleanup()
