"""A path that is fixed answers for itself: a method that it does not have is a 405 there.

Else the router would look on, and `GET /jobs/bulk` would be a question for a job whose id is `bulk`: a 422 that names
a field which nobody sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler


def with_closed_ends(routes: Iterable[web.RouteDef]) -> list[web.RouteDef]:
    """These routes, and behind them one for each fixed path that refuses all other methods."""
    made = list(routes)
    methods: dict[str, set[str]] = {}
    for route in made:
        if "{" not in route.path:
            methods.setdefault(route.path, set()).update(_with_head(route.method))
    return [*made, *(web.RouteDef(hdrs.METH_ANY, path, _refuses(known), {}) for path, known in methods.items())]


def _with_head(method: str) -> set[str]:
    return {method, hdrs.METH_HEAD} if method == hdrs.METH_GET else {method}  # aiohttp answers it with the GET


def _refuses(allowed: Collection[str]) -> Handler:
    async def refuse(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, allowed)  # the door puts it into our words

    return refuse
