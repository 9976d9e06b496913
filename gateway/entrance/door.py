"""The door that every request passes: its id, who sends it, its one line in the log.

Whatever is raised behind it becomes a problem here, and nowhere else, so that no route can forget it.  The id comes
from the caller when it is a decent one and goes back in the answer, into every log line and into every problem.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Final

import structlog
from aiohttp import HttpVersion11, hdrs, web
from aiohttp.typedefs import Handler, Middleware

from gateway.entrance import problems
from gateway.entrance.access import Access
from gateway.entrance.problems import Refusal
from gateway.entrance.spans import NO_ROUTE, serve
from wire.errors import Refused, Unavailable
from wire.identity import fresh_id
from wire.metrics import table as metrics

log = structlog.get_logger()

ID_HEADER: Final = "X-Request-ID"
CALLER: Final = web.RequestKey("caller", str)
RETRY_AFTER_SECONDS: Final = "2"  # a broker or database that restarts is back within a few of these

KNOWN: Final = hdrs.METH_ALL  # methods that a label may name: a stranger can invent any other

_DECENT_ID = re.compile(r"[!-~](?:[ -~]{0,126}[!-~])?")
_ALWAYS: Final = {
    hdrs.SERVER: "warren",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def door(access: Access) -> Middleware:
    """The middleware; the only one."""

    @web.middleware
    async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        request_id = request_id_of(request)
        structlog.contextvars.bind_contextvars(request_id=request_id)  # each request runs in a context of its own
        served = serve(request)
        response = await _answered(request, handler, access, request_id)
        stamp(response, request_id)
        seconds, route = time.perf_counter() - started, _route(request)
        if served is not None:
            served.ended(request, route, response.status)
        metrics.REQUESTS.add(request.method if request.method in KNOWN else "other", route, str(response.status))
        metrics.REQUEST_SECONDS.observe(seconds, route)
        log.info("request", method=request.method, route=route, status=response.status, ms=round(seconds * 1000, 1))
        return response

    return pass_through


async def continue_or_refuse(request: web.Request) -> web.StreamResponse | None:
    """What is answered to an `Expect` header before the body is sent; aiohttp's own refusal would be plain text."""
    if request.version < HttpVersion11:
        return None  # HTTP/1.0 knows no such header
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
        return None
    request_id = request_id_of(request)
    response = problems.answer(
        Refusal("bad_expectation", "this expectation is not understood", field="Expect"), request_id
    )
    stamp(response, request_id)
    return response


def request_id_of(request: web.BaseRequest) -> str:
    """The caller's id for this request, or a fresh one."""
    return decent_id(request.headers.get(ID_HEADER, ""))


def decent_id(given: str) -> str:
    """This id, or a fresh one in its place."""
    return given if _DECENT_ID.fullmatch(given) else fresh_id().hex


def stamp(response: web.StreamResponse, request_id: str) -> None:
    """The headers that every answer carries."""
    response.headers[ID_HEADER] = request_id
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)


async def _answered(request: web.Request, handler: Handler, access: Access, request_id: str) -> web.StreamResponse:
    try:
        caller = access.admit(request, _route(request))
        if caller is not None:
            request[CALLER] = caller
        return await handler(request)
    except Refusal as e:
        return problems.answer(e, request_id)
    except Refused as e:
        return problems.answer(Refusal.of(e), request_id)
    except Unavailable as e:
        log.warning("store_away", error=str(e))
        return problems.answer(unavailable(), request_id)
    except web.HTTPException as e:
        return problems.answer(_of_router(e, request), request_id)
    except Exception:  # the edge of the process: nothing was accepted, or the outbox has it; the caller asks again
        log.exception("request_failed", route=_route(request))
        return problems.answer(Refusal("internal", "the request failed"), request_id)


def unavailable(job_id: str | None = None, ids: Sequence[str | None] = ()) -> Refusal:
    """A store is away: what to do, with the id that was tried, or all ids."""
    remedy = "send it again with this id" if job_id else "send it again with these ids" if ids else "send it again"
    headers: dict[str, str] = {hdrs.RETRY_AFTER: RETRY_AFTER_SECONDS}
    return Refusal("unavailable", "a store is away", remedy=remedy, job_id=job_id, ids=ids, headers=headers)


def _of_router(error: web.HTTPException, request: web.Request) -> Refusal:
    """What aiohttp's router and readers raise, in our words."""
    kind = problems.BY_STATUS.get(error.status, "bad_http")
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"{request.method[:20]} is not a method of this route"
        return Refusal(kind, detail, remedy=f"use {allowed}", headers={hdrs.ALLOW: allowed})
    if error.status == 404:
        return Refusal(kind, f"there is no route {request.path[:100]!r}", remedy="/docs lists all routes")
    return Refusal(kind, problems.KINDS[kind].meaning)


def _route(request: web.Request) -> str:
    """The route's pattern; a path would carry ids into the log and has no bound."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else NO_ROUTE
