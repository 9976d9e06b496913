"""/docs and /redoc: the API to look at and to try out, without asking any other origin.

The files come from the package openapi-ui-bundles (Swagger UI, Apache 2.0; ReDoc, MIT), and the policy sent with each
page lets a browser load nothing from elsewhere.  ReDoc's bundle names one picture on its maker's server; it is served
from here instead.
"""

from __future__ import annotations

import asyncio
import functools
import html
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from openapi_ui_bundles import redoc, swagger_ui

from gateway.entrance.problems import KINDS, Refusal

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
ASSETS: Final = "/docs/assets/"
_FOREIGN_PICTURE: Final = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
_START: Final = b"""\
window.ui = SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});
"""


class Docs:
    """The pages and their files."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/docs", _page(_SWAGGER)),
            web.get("/redoc", _page(_REDOC)),
            web.get("/problems", _page(_problems())),
            web.get(ASSETS + "{name}", self.asset),
        ]

    async def asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _FILES:
            raise Refusal("not_found", f"there is no file {name[:80]!r}")
        body = await asyncio.to_thread(_content, name)
        headers = {hdrs.CACHE_CONTROL: "public, max-age=3600"}
        return web.Response(body=body, headers=headers, content_type=_KINDS[Path(name).suffix])


_FILES: Final[Mapping[str, Callable[[], bytes]]] = {
    "swagger-ui.css": (swagger_ui.static_path / "swagger-ui.css").read_bytes,
    "swagger-ui-bundle.js": (swagger_ui.static_path / "swagger-ui-bundle.js").read_bytes,
    "favicon-32x32.png": (swagger_ui.static_path / "favicon-32x32.png").read_bytes,
    "start.js": lambda: _START,
    "redoc.standalone.js": lambda: _own_picture((redoc.static_path / "redoc.standalone.js").read_bytes()),
    "logo-mini.svg": (redoc.static_path / "logo-mini.svg").read_bytes,
}
_KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".png": "image/png", ".svg": "image/svg+xml"}


@functools.cache
def _content(name: str) -> bytes:
    return _FILES[name]()


def _own_picture(script: bytes) -> bytes:
    return script.replace(_FOREIGN_PICTURE, f"{ASSETS}logo-mini.svg".encode())


def _page(body: str) -> Handler:
    async def show(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    return show


_HEAD: Final = f"""\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Warren</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/png" href="{ASSETS}favicon-32x32.png">
"""
_SWAGGER: Final = f"""{_HEAD}<link rel="stylesheet" href="{ASSETS}swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="{ASSETS}swagger-ui-bundle.js"></script><script src="{ASSETS}start.js"></script></body></html>
"""
_REDOC: Final = f"""{_HEAD}<style>body {{ margin: 0 }}</style></head>
<body><redoc spec-url="/openapi.json"></redoc><script src="{ASSETS}redoc.standalone.js"></script></body></html>
"""


def _problems() -> str:
    rows = "\n".join(
        f'<tr id="{name}"><td><code>{name}</code></td><td>{kind.status}</td><td>{html.escape(kind.title)}</td>'
        f"<td>{html.escape(kind.meaning)}</td></tr>"
        for name, kind in KINDS.items()
    )
    style = "body{font:16px sans-serif;margin:2em}td{padding:.3em 1em;vertical-align:top}:target{background:#ffc}"
    return f"{_HEAD}<style>{style}</style></head><body><h1>Problems</h1><table>{rows}</table></body></html>"
