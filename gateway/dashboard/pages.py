"""/dashboard: the page and its files, as they lie in `static/`.

The folder is listed once, and only what is in that list is served: a name is a key, never a path.  A browser keeps a
file and asks each time whether it is still the same; after an upgrade no page runs half of the old one.
Which key, host or origin may ask is the door's business, as with /docs; the files hold nothing that is secret.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.helpers import ETag

from gateway.entrance.problems import Refusal

DASHBOARD: Final = "/dashboard"
ASSETS: Final = DASHBOARD + "/assets/"
PAGE: Final = "index.html"
STATIC: Final = Path(__file__).parent / "static"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    hdrs.CACHE_CONTROL: "no-cache",  # keep it, and ask whether it is still so
}
KINDS: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    """One file, ready to be sent."""

    body: bytes
    content_type: str
    etag: str


class Dashboard:
    """The page and its files."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.root),
            web.get(DASHBOARD, self.page),
            web.get(ASSETS + "{name}", self.asset),
        ]

    async def root(self, _: web.Request) -> web.Response:
        return web.Response(status=302, headers={hdrs.LOCATION: DASHBOARD})

    async def page(self, request: web.Request) -> web.Response:
        return _sent(request, files()[PAGE])

    async def asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in files() or name == PAGE:
            raise Refusal("not_found", f"there is no file {name[:80]!r}")
        return _sent(request, files()[name])


@functools.cache
def files() -> Mapping[str, File]:
    """By name: read when the first of them is asked for, for most gateways serve programs alone."""
    found = sorted(path for path in STATIC.iterdir() if path.suffix in KINDS)
    return {path.name: _file(path.read_bytes(), KINDS[path.suffix]) for path in found}


def _file(body: bytes, content_type: str) -> File:
    return File(body, content_type, hashlib.sha256(body).hexdigest()[:32])


def _sent(request: web.Request, file: File) -> web.Response:
    wanted = request.if_none_match or ()
    same = any(tag in (ETag(file.etag), ETag(file.etag, is_weak=True), ETag("*")) for tag in wanted)
    kind = file.content_type
    answer = web.Response(status=304, headers=HEADERS) if same else web.Response(
        body=file.body, content_type=kind, charset="utf-8", headers=HEADERS
    )  # fmt: skip
    answer.etag = file.etag
    return answer
