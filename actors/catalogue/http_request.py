"""`http_request`: makes one request and gives back the answer.

What a client did wrong (4xx) does not become right by itself and fails for good; what a server cannot do now (5xx, 408,
425, 429) is tried again, when `Retry-After` says.  An attempt that got no answer may have had its effect: a job is run
at least once, so what is asked for with POST should have a key of its own.  Follows no robots.txt: it is for APIs.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from actors.job import job, missing
from actors.trades.outbound.document import Document
from actors.trades.outbound.fetch import fetch
from actors.trades.politeness.accepted import accept

MOST_BODY: Final = 128 * 1024  # bytes of the body in the result; as JSON they may be six times as many
MOST_HEADERS: Final = 100
# Python's other codecs are no charsets, and some of them take minutes for a body that was made for that.
CHARSETS: Final = re.compile(
    r"utf-?(8|16|32)([-_]?[lb]e)?|(us-)?ascii|iso-?8859-?\d+|latin-?1|(windows-|cp)125\d|koi8-[ru]|shift[-_]jis|"
    r"euc-(jp|kr)|gb(2312|k|18030)|big5"
)
Status = Annotated[int, Field(ge=100, le=599)]


class HttpRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"url": "https://httpbin.org/get", "method": "GET"},
                {"url": "https://example.org/hook", "method": "POST", "body": {"hello": "world"}},
            ]
        },
    )

    url: str = Field(min_length=1, max_length=8_192, description="http or https, without a name and password")
    method: str = Field("GET", max_length=31, description="GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS")
    headers: dict[str, str] = Field(default_factory=dict, max_length=100, description="Headers to send")
    body: str | dict[str, Any] | list[Any] | None = Field(None, description="Text as it is, or what to send as JSON")
    timeout: float | None = Field(None, gt=0, le=300, description="Seconds for the whole answer")
    expect_status: Status | list[Status] | None = Field(
        None, description="The status, or several, that count as done; otherwise any below 400"
    )


class Answer(BaseModel):
    status: int = Field(description="Of the last answer, after redirects")
    url: str = Field(description="Where it was in the end, after redirects")
    headers: dict[str, str] = Field(description="The first hundred, their names in lower case")
    body: str | None = Field(None, exclude_if=missing, description="As text, if it is some")
    body_base64: str | None = Field(None, exclude_if=missing, description="Its bytes, if it is no text")
    body_bytes: int = Field(description="How long the whole body was")
    truncated: bool = Field(description="The body was longer than what is given here, 128 KiB")
    elapsed_seconds: float = Field(description="Until the last byte")


@job("http_request", timeout=330)
async def request(payload: HttpRequest) -> Answer:
    """Make one HTTP request; return its status, headers and body."""
    headers, content = dict(payload.headers), payload.body
    if content is not None and not isinstance(content, str):
        content = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json"
    document = await fetch(
        payload.url, method=payload.method, headers=headers, seconds=payload.timeout,
        content=None if content is None else content.encode(),
    )  # fmt: skip
    wanted = payload.expect_status
    accept(document, [wanted] if isinstance(wanted, int) else wanted)
    return _told(document)


def _told(document: Document) -> Answer:
    body = document.body[:MOST_BODY]
    cut = len(body) < len(document.body)
    return Answer(
        status=document.status,
        url=document.final_url,
        headers=dict(list(document.headers.items())[:MOST_HEADERS]),
        **_readable(body, document.headers.get("content-type", ""), cut=cut),
        body_bytes=len(document.body),
        truncated=cut,
        elapsed_seconds=round(document.elapsed_seconds, 3),
    )


def _readable(body: bytes, content_type: str, *, cut: bool) -> dict[str, str]:
    """As text if it is some that can be kept, else in base64."""
    _, _, said = content_type.lower().partition("charset=")
    charset = said.split(";")[0].strip(" \"'") or "utf-8"
    for left_off in range(4 if cut else 1):  # it may be cut within a character
        try:
            text = body[: len(body) - left_off].decode(charset if CHARSETS.fullmatch(charset) else "utf-8")
        except (UnicodeError, LookupError):
            continue
        if "\0" not in text:  # Postgres has no place for it
            return {"body": text}
    return {"body_base64": base64.b64encode(body).decode()}
