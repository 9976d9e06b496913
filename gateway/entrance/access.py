"""Who may come in: which host name, which web page, which key.

A browser can be talked into sending requests to 127.0.0.1 (a page that posts a form, a name that is rebound to
loopback), so a host name must be one of ours and an origin too, keys or not.  A page that another program of this
machine shows, on another port, is as foreign as any: it could press every button that the dashboard has.  Only a host
that the operator has named is trusted whatever its port.
Beyond loopback the process refuses to start without keys, unless the operator says that the network may be trusted.
Keys are compared by their hashes, all of them, in constant time; only a fingerprint goes further than this file.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web

from gateway.entrance.problems import Refusal
from wire.errors import SettingsError
from wire.settings import Gateway

log = structlog.get_logger()

PROBES: Final = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})  # asked under any name, by machines
PAGES: Final = frozenset({
    "/", "/dashboard", "/dashboard/assets/{name}", "/docs", "/redoc", "/problems", "/openapi.json",
    "/docs/assets/{name}",
})  # fmt: skip
SAFE: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
FETCH_SITE: Final = "Sec-Fetch-Site"  # a browser's own word, which no page can change; older ones say nothing
LOCAL: Final = "local"  # the scope of idempotency keys where nobody needs an API key


class Access:
    """The rules of one gateway."""

    def __init__(self, settings: Gateway) -> None:
        self._keys = [_digest(key.get_secret_value()) for key in settings.api_keys]
        self._named = frozenset(filter(None, map(_name, settings.allowed_hosts)))
        self._hosts = _host_names(settings)
        self._any_host = "*" in settings.allowed_hosts
        self._judge_exposure(settings)

    def admit(self, request: web.Request, route: str) -> str | None:
        """Whose request this is (the scope of its idempotency keys; None for nobody's), or Refusal."""
        if route in PROBES:
            return None
        self._check_host(request)
        self._check_origin(request)
        caller = self._caller(request.headers)
        if caller is None and route not in PAGES:
            raise _key_required(request.headers)
        return caller

    def admit_call(self, headers: Mapping[str, str]) -> str:
        """Whose gRPC call this is, or Refusal.

        Host and origin are not asked for: no browser can be talked into HTTP/2 without TLS, and nothing else is spoken.
        """
        caller = self._caller(headers)
        if caller is None:
            raise _key_required(headers)
        return caller

    def _judge_exposure(self, settings: Gateway) -> None:
        if not self._keys and self._any_host:
            raise SettingsError(
                ["WARREN_ALLOWED_HOSTS may be * only with WARREN_API_KEYS: any web page could send jobs"]
            )
        if self._keys or _is_loopback(settings.host):
            return
        if not settings.trust_local_network:
            raise SettingsError(
                [
                    f"WARREN_HOST is {settings.host}, which others can reach: set WARREN_API_KEYS, "
                    "or WARREN_TRUST_LOCAL_NETWORK=1 if everyone on that network may submit jobs"
                ]
            )
        log.warning("serving_without_api_keys", host=settings.host, setting="WARREN_TRUST_LOCAL_NETWORK")

    def _check_host(self, request: web.Request) -> None:
        host = request.headers.get(hdrs.HOST, "")
        if not self._any_host and _name(host) not in self._hosts:
            detail = f"this gateway does not answer to the host name {_name(host)[:100]!r}"
            remedy = "use localhost, or add the name to WARREN_ALLOWED_HOSTS"
            raise Refusal("foreign_host", detail, field="Host", remedy=remedy)

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or request.method in SAFE or self._any_host:
            return
        if not self._is_ours(origin, request):
            detail = f"a page of {origin[:100]!r} may not change anything here"
            raise Refusal("foreign_origin", detail, field="Origin", remedy="add its host name to WARREN_ALLOWED_HOSTS")

    def _is_ours(self, origin: str, request: web.Request) -> bool:
        place = origin.partition("://")[2]
        if _name(place) in self._named:
            return True
        site = request.headers.get(FETCH_SITE)
        same = site == "same-origin" if site else place.lower() == request.headers.get(hdrs.HOST, "").lower()
        return same and _name(place) in self._hosts

    def _caller(self, headers: Mapping[str, str]) -> str | None:
        if not self._keys:
            return LOCAL
        offered = _digest(_offered(headers))
        matches = [hmac.compare_digest(offered, key) for key in self._keys]  # all of them: no early way out to measure
        return offered.hex()[:16] if any(matches) else None


def _key_required(headers: Mapping[str, str]) -> Refusal:
    detail = "this API key is not known" if _offered(headers) else "an API key is required"
    remedy = "send Authorization: Bearer <key>, or X-API-Key: <key>; WARREN_API_KEYS lists the keys"
    return Refusal(
        "unauthorized", detail, field="Authorization", remedy=remedy, headers={hdrs.WWW_AUTHENTICATE: "Bearer"}
    )


def _offered(headers: Mapping[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").partition(" ")  # gRPC's are in lower case, HTTP's in any
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _host_names(settings: Gateway) -> frozenset[str]:
    given: Iterable[str] = (settings.host, *settings.allowed_hosts)
    return frozenset({"localhost", "127.0.0.1", "::1", *(_name(host) or host.lower() for host in given)})


@functools.lru_cache(maxsize=256)  # the same few in all requests, and urlsplit takes longer than the rest of the door
def _name(host: str) -> str:
    """The name in `name:port`, `[::1]:port` or a bare IPv6 address; empty if it is none of them."""
    try:
        if host.count(":") > 1 and not host.startswith("["):
            return str(ipaddress.ip_address(host))
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
