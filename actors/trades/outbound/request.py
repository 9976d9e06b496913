"""What is asked of a target: method, headers, content; and what of it goes along to where a redirect leads.

Refuses the headers that say where a message goes, ends or is passed on: they are the connection's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import httpcore

from actors.trades.outbound.decode import KNOWN
from actors.trades.outbound.failures import Forbidden
from actors.trades.outbound.target import Target

OWN: Final = frozenset({
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
    "proxy-authorization", "proxy-connection", "http2-settings",
})  # fmt: skip
# To another origin goes what says what is wanted, and nothing that could say who wants it.
HARMLESS: Final = frozenset({
    "accept", "accept-encoding", "accept-language", "user-agent", "range", "if-none-match", "if-modified-since",
    "cache-control", "content-type",
})  # fmt: skip
METHODS: Final = re.compile(r"[A-Za-z][A-Za-z-]{0,30}")
NOT_MADE: Final = frozenset({"CONNECT", "TRACE"})
MOST_HEADERS: Final = 32 * 1024  # bytes
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_BROKEN: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Request:
    """One hop's."""

    method: str
    target: Target
    headers: Mapping[str, str]  # names in lower case
    content: bytes | None

    def wired(self, extra: Mapping[str, str], connect_seconds: float, watch: object) -> httpcore.Request:
        """As the pool takes it."""
        target = self.target
        host = target.place.partition("://")[2]
        sent = {"host": host, "accept": "*/*", "accept-encoding": KNOWN, **self.headers, **extra}
        if self.content is not None or self.method in ("POST", "PUT", "PATCH"):
            sent["content-length"] = str(len(self.content or b""))
        return httpcore.Request(
            self.method.encode(),
            httpcore.URL(
                scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.url.raw_path
            ),
            headers=[(name.encode("ascii"), value.encode("utf-8")) for name, value in sent.items()],
            content=self.content or b"",
            extensions={"timeout": {"connect": connect_seconds}, "trace": watch},
        )

    def redirected(self, status: int, to: Target) -> Request:
        """The next hop's, as browsers do it."""
        changes = status == 303 and self.method != "HEAD"
        changes = changes or (status in (301, 302) and self.method == "POST")
        headers = dict(self.headers)
        if to.origin != self.target.origin:
            headers = {name: value for name, value in headers.items() if name in HARMLESS}
        if changes:
            headers.pop("content-type", None)
            return Request("GET", to, headers, None)
        return replace(self, target=to, headers=headers)


def request(method: str, target: Target, headers: Mapping[str, str], content: bytes | None, agent: str) -> Request:
    """Of the first hop; Forbidden for what cannot be sent as it is."""
    name = method.upper()
    if not METHODS.fullmatch(method) or name in NOT_MADE:
        raise Forbidden(f"{method[:30]!r} is not a method that is sent: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
    said = {"user-agent": agent}
    for key, value in headers.items():
        said[_name(key)] = _value(key, value)
    if sum(len(key) + len(value) for key, value in said.items()) > MOST_HEADERS:
        raise Forbidden(f"headers of more than {MOST_HEADERS} bytes are not sent")
    return Request(name, target, said, content)


def _name(key: str) -> str:
    name = key.lower()
    if not _NAME.fullmatch(key):
        raise Forbidden(f"{key[:80]!r} is not the name of a header")
    if name in OWN:
        raise Forbidden(f"the header {key} is the connection's own; leave it out")
    return name


def _value(key: str, value: str) -> str:
    if _BROKEN.search(value):
        raise Forbidden(f"the header {key} has a line break or a control character in it")
    return value.strip()
