"""A struct as an HTTP response."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import web

from gateway.answers import encode


def respond(answer: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=encode(answer), status=status, headers=headers, content_type="application/json")
