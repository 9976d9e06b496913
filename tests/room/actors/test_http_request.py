"""`http_request` asks as it was told, and knows which answers are worth another try."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from pydantic_core import to_jsonable_python

from actors.attempts.craft import coroutine_function
from actors.broker import JobBroker
from actors.ends import PermanentError, RetryAfter
from actors.trades.outbound.guard import Guard
from tests.room.actors.outbound_server import Asked, Server
from wire.slices import Limits, Outbound

Run = Callable[..., Coroutine[Any, Any, Any]]
OPEN = Outbound(allow=("127.0.0.1",), ports="any")


@pytest.fixture
def request_job() -> Run:
    import dramatiq  # noqa: PLC0415

    before = dramatiq.broker.global_broker
    broker = JobBroker("amqp://nobody:nothing@127.0.0.1:1/", Limits(), "test")
    dramatiq.set_broker(broker)
    sys.modules.pop("actors.catalogue.http_request", None)
    importlib.import_module("actors.catalogue.http_request")
    dramatiq.broker.global_broker = before
    function = coroutine_function(broker.actors["http_request"])
    assert function is not None

    async def run(**fields: Any) -> Any:
        return to_jsonable_python(await function(**fields))

    return run


async def test_it_sends_what_it_was_told(request_job: Run) -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer("201 Created", "Content-Type: application/json", "X-Two: a", "X-Two: b", body=b'{"id":1}')

    async with Server(reply).listening() as server, Guard(OPEN):
        result = await request_job(
            url=f"{server.url}/hook?a=1",
            method="post",
            headers={"X-Key": "k"},
            body={"é": [1, None]},
            expect_status=201,
        )

    assert {
        "status": 201, "url": f"{server.url}/hook?a=1", "body": '{"id":1}', "body_bytes": 8, "truncated": False,
        "headers": {"content-length": "8", "content-type": "application/json", "x-two": "a, b"},
        "elapsed_seconds": result["elapsed_seconds"],
    } == result  # fmt: skip
    asked = server.asked[0]
    assert ("POST", "/hook?a=1", '{"é":[1,null]}'.encode()) == (asked.method, asked.path, asked.body)
    assert ("application/json", "k", "warren") == tuple(map(asked.header, ("content-type", "x-key", "user-agent")))


@pytest.mark.parametrize(
    ("status", "expected", "end"),
    [
        ("200 OK", None, None), ("304 Not Modified", None, None), ("404 Not Found", [404, 410], None),
        ("503 Busy", 503, None), ("200 OK", 201, PermanentError), ("400 Bad", None, PermanentError),
        ("401 No", None, PermanentError), ("404 Not Found", None, PermanentError), ("410 Gone", 404, PermanentError),
        ("500 Oops", None, "NotNow"), ("502 Bad Gateway", None, "NotNow"), ("408 Slow", None, "NotNow"),
        ("425 Early", None, "NotNow"), ("429 Many", None, "NotNow"), ("503 Busy", 200, "NotNow"),
    ],
)  # fmt: skip
async def test_an_answer_is_judged_by_its_status(
    request_job: Run, status: str, expected: Any, end: type[Exception] | str | None
) -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer(status)

    async with Server(reply).listening() as server, Guard(OPEN):
        if end is None:
            assert int(status[:3]) == (await request_job(url=server.url, expect_status=expected))["status"]
        else:
            with pytest.raises(Exception, match=f"{server.url} answered {status[:3]}") as caught:
                await request_job(url=f"{server.url}/?key=s3cr3t", expect_status=expected)
            assert end in (type(caught.value), type(caught.value).__name__)
            assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("status", ["429 Many", "503 Busy"])
async def test_a_server_says_when_to_come_again(request_job: Run, status: str) -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer(status, "Retry-After: 17")

    async with Server(reply).listening() as server, Guard(OPEN):
        with pytest.raises(RetryAfter) as caught:
            await request_job(url=server.url)

    assert timedelta(seconds=17) == caught.value.after


@pytest.mark.parametrize(
    ("content_type", "body", "kept"),
    [
        ("text/plain; charset=latin-1", b"caf\xe9", {"body": "café"}),
        ("text/plain; charset=\"utf-16\"", "hi".encode("utf-16"), {"body": "hi"}),
        ("text/plain", b"caf\xe9", {"body_base64": "Y2Fm6Q=="}),
        ("text/plain", b"a\x00b", {"body_base64": "YQBi"}),
        ("text/plain; charset=zlib", b"plain", {"body": "plain"}),
        ("text/plain; charset=punycode", b"a-b", {"body": "a-b"}),
        ("image/png", b"\x89PNG", {"body_base64": "iVBORw=="}),
        ("", b"", {"body": ""}),
    ],
)  # fmt: skip
async def test_a_body_is_text_or_base64(request_job: Run, content_type: str, body: bytes, kept: dict[str, str]) -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer("200 OK", f"Content-Type: {content_type}", body=body)

    async with Server(reply).listening() as server, Guard(OPEN):
        result = await request_job(url=server.url)

    assert kept == {name: value for name, value in result.items() if name in ("body", "body_base64")}


async def test_a_long_body_is_cut_between_characters(request_job: Run) -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer(body="€".encode() * 50_000)

    async with Server(reply).listening() as server, Guard(OPEN):
        result = await request_job(url=server.url)

    assert (True, 150_000, "€" * 43_690) == (result["truncated"], result["body_bytes"], result["body"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "CONNECT"), ("method", "TRACE"), ("method", "GET /x HTTP/1.1\r\nHost: a"), ("method", "G\u00c9T"),
        ("headers", {"Host": "intranet"}), ("headers", {"Content-Length": "1"}),
        ("headers", {"Transfer-Encoding": "chunked"}), ("headers", {"X": "a\r\nHost: b"}),
        ("headers", {"X\r\nY": "a"}), ("headers", {"": "a"}), ("headers", {"X": "\x00"}),
        ("headers", {":path": "/"}), ("headers", {"X": "a" * 40_000}), ("headers", {"Connection": "upgrade"}),
        ("url", "ftp://127.0.0.1/"), ("url", "http://u:p@127.0.0.1/"), ("timeout", -1), ("expect_status", 99),
        ("extra", 1),
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
async def test_what_cannot_be_sent_is_not(request_job: Run, field: str, value: Any) -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer()

    async with Server(reply).listening() as server, Guard(OPEN):
        with pytest.raises(PermanentError):
            await request_job(**{"url": server.url, field: value})

    assert [] == server.asked
