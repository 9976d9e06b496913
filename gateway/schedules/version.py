"""Which version of a schedule an edit is meant for: `If-Match`, as the answer's ETag gave it."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import hdrs, web

from wire.errors import Refused

_ETAG: Final = re.compile(r'"([0-9]{1,9})"')


def version_of(request: web.Request) -> int | None:
    """The version, or None where any will do; Refused if it is none of ours."""
    said = request.headers.get(hdrs.IF_MATCH, "*").strip()
    if said == "*":
        return None
    found = _ETAG.fullmatch(said)
    if not found:
        raise Refused(hdrs.IF_MATCH, f"{said[:60]!r} is not a version", 'send the ETag of the answer, such as "3"')
    return int(found[1])
