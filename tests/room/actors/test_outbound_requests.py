"""What goes out with a request, what a redirect takes along, and what is told of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from uuid import UUID

import pytest
import pytest_asyncio
from opentelemetry.proto.trace.v1 import trace_pb2
from pydantic import SecretStr

from actors.context import Context, current
from actors.trades.outbound.failures import Forbidden, TooSlow, Unreachable
from actors.trades.outbound.fetch import fetch
from actors.trades.outbound.guard import Guard
from actors.trades.outbound.pool import KEPT_ORIGINS
from actors.trades.outbound.resolve import SystemResolver
from tests.eventually import eventually
from tests.room.actors.outbound_server import Asked, Server
from tests.room.actors.outbound_world import PUBLIC, SITE, Names, World, answer, world
from wire.metrics import table
from wire.slices import Outbound
from wire.spans import here
from wire.spans.otlp import Span
from wire.spans.recording import Recording
from wire.tracing import Trace

OPEN = Outbound(allow=("127.0.0.1",), ports="any", user_agent="test/1 (+https://example.org/bot)")


@pytest_asyncio.fixture
async def around() -> AsyncIterator[World]:
    async with world() as one:
        yield one


@pytest.fixture
def recorded() -> Iterator[list[Span]]:
    spans: list[Span] = []
    here.spans = Recording(spans.extend, keeps=lambda _: True, follows=lambda *_: True, surround=lambda *_, **__: None)
    yield spans
    here.spans = None


@pytest.fixture
def job() -> Iterator[Context]:
    one = Context(UUID(int=7), "x", "default", attempt=1, max_retries=3, priority=5, trace=Trace.begin())
    token = current.set(one)
    yield one
    current.reset(token)


async def redirecting(asked: Asked) -> None:
    """/307?/there leads to /there by a 307."""
    path, _, to = asked.path.partition("?")
    if to.startswith(("/", "http")):
        await asked.answer(f"{path[1:]} Elsewhere", f"Location: {to}", body=b"moved")
    else:
        await asked.answer(body=asked.method.encode())


async def test_a_request_says_who_asks_and_what_can_be_unpacked() -> None:
    async with Server(redirecting).listening() as server, Guard(OPEN):
        await fetch(server.url, headers={"Accept": "text/html", "X-Word": "é"})

    assert server.asked[0].head.split("\r\n") == [
        "GET / HTTP/1.1", f"host: {server.url[7:]}", "accept: text/html", "accept-encoding: gzip, deflate, br, zstd",
        "user-agent: test/1 (+https://example.org/bot)", "x-word: é".encode().decode("latin-1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "GET", "GET"), (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"), (307, "POST", "POST"), (308, "PUT", "PUT"), (302, "DELETE", "DELETE"),
        (302, "HEAD", "HEAD"),
    ],
)  # fmt: skip
async def test_a_redirect_is_followed_as_browsers_do(status: int, method: str, then: str) -> None:
    content = b"content" if method in ("POST", "PUT") else None
    async with Server(redirecting).listening() as server, Guard(OPEN):
        document = await fetch(f"{server.url}/{status}?/there", method=method, content=content)
        connections = server.connections

    assert (200, f"{server.url}/there", 1) == (document.status, document.final_url, connections)
    assert [method, then] == [asked.method for asked in server.asked]
    assert (content or b"" if then == method else b"") == server.asked[1].body


async def test_what_tells_who_asks_stays_with_the_origin_it_was_meant_for() -> None:
    secret = {"Authorization": "Bearer s3cr3t", "Cookie": "s3cr3t", "X-Api-Key": "s3cr3t", "Accept-Language": "de"}
    async with Server(redirecting).listening() as other, Server(redirecting).listening() as server, Guard(OPEN):
        await fetch(f"{server.url}/302?/here", headers=secret)
        await fetch(f"{server.url}/307?{other.url}/there", headers=secret)

    assert 3 == server.asked[1].head.count("s3cr3t")
    assert "s3cr3t" not in other.asked[0].head
    assert "de" == other.asked[0].header("accept-language")


async def test_a_status_is_an_answer() -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer(f"{asked.path[1:]} Word", body=b"" if asked.path == "/304" else b"why")

    async with Server(reply).listening() as server, Guard(OPEN):
        statuses = [
            (await fetch(f"{server.url}/{status}")).status for status in (200, 204, 304, 404, 418, 500, 503, 599)
        ]

    assert [200, 204, 304, 404, 418, 500, 503, 599] == statuses


async def test_no_cookie_is_kept() -> None:
    async def reply(asked: Asked) -> None:
        await asked.answer("200 OK", "Set-Cookie: a=b; Path=/")

    async with Server(reply).listening() as server, Guard(OPEN):
        await fetch(server.url)
        await fetch(server.url)

    assert [None, None] == [asked.header("cookie") for asked in server.asked]


async def test_the_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch, around: World) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, around.proxy)
    async with Server(redirecting).listening() as server, Guard(OPEN):
        assert 200 == (await fetch(server.url)).status

    assert [] == around.connects


async def test_a_proxy_is_asked_for_an_address_and_told_who_asks(around: World) -> None:
    proxy = SecretStr(around.proxy.replace("://", "://us%40er:s%3A3cr3t@"))
    async with Guard(Outbound(proxy=proxy), Names(site_test=PUBLIC)):
        document = await fetch(f"http://{SITE}/path")

    assert (b"public", [f"{PUBLIC}:80"]) == (document.body, around.connects)
    assert "Proxy-Authorization: Basic dXNAZXI6czozY3IzdA==" in around.proxy_heads[0]
    assert "authorization" not in around.heads[0].lower()
    assert "host: site.test\r\n" in around.heads[0]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"HTTP/1.1 407 Who are you\r\n\r\n", "answered 407 to CONNECT"),
        (b"HTTP/1.1 abc\r\n\r\n", "answered 0 to CONNECT"),
        (b"", "does not answer CONNECT as a proxy does"), (b"a" * 20_000, "does not answer CONNECT as a proxy does"),
    ],
)  # fmt: skip
async def test_a_proxy_that_does_not_connect_is_named(said: bytes, words: str) -> None:
    async def reply(asked: Asked) -> None:
        await asked.send(said)
        raise ConnectionError

    async with Server(reply).listening() as server:
        proxy = SecretStr(server.url.replace("://", "://user:s3cr3t@"))
        async with Guard(Outbound(proxy=proxy), Names(site_test=PUBLIC)):
            with pytest.raises(Unreachable, match=f"WARREN_OUTBOUND_PROXY {words}"):
                await fetch(f"http://{SITE}/path")


async def test_a_name_with_addresses_that_do_not_answer_is_tried_at_the_next() -> None:
    async with Server(redirecting).listening() as server:
        port = server.url.rpartition(":")[2]

        async def names(host: str) -> tuple[object, ...]:
            return ip_address("127.0.0.9"), ip_address("127.0.0.1")

        async with Guard(Outbound(allow=("127.0.0.0/8",), ports="any"), names):  # type: ignore[arg-type]
            assert 200 == (await fetch(f"http://two.test:{port}/")).status


async def test_a_lookup_that_never_ends_ends() -> None:
    async def names(host: str) -> tuple[object, ...]:
        await asyncio.Event().wait()
        return ()

    async with Guard(Outbound(), names):  # type: ignore[arg-type]
        with pytest.raises(TooSlow):
            await fetch("http://slow.test/", seconds=0.05)


async def test_many_who_ask_for_a_name_ask_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A name whose server does not answer holds one thread, not all of them.
    """
    looked, go = [], threading.Event()

    def slowly(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        looked.append(host)
        go.wait(30)
        return [(0, 0, 0, "", (PUBLIC, 0))]

    monkeypatch.setattr("socket.getaddrinfo", slowly)
    resolve = SystemResolver()
    asking = [asyncio.create_task(resolve("slow.test")) for _ in range(50)]
    await eventually(lambda: looked)
    asking[0].cancel()
    go.set()
    found = await asyncio.gather(*asking[1:])
    again = await resolve("slow.test")
    resolve.stop()

    assert {(ip_address(PUBLIC),)} == set(found) | {again}
    assert ["slow.test"] * 2 == looked


async def test_connections_to_many_hosts_are_not_all_kept() -> None:
    open_ones = 0

    async def reply(asked: Asked) -> None:
        await asked.answer()

    class Counting(Server):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal open_ones
            open_ones += 1
            await super()._serve(reader, writer)
            open_ones -= 1

    async def names(host: str) -> tuple[object, ...]:
        return (ip_address("127.0.0.1"),)

    async with Counting(reply).listening() as server:
        port = server.url.rpartition(":")[2]
        async with Guard(Outbound(allow=("127.0.0.1",), ports="any"), names):  # type: ignore[arg-type]
            for number in range(KEPT_ORIGINS + 12):
                await fetch(f"http://host{number}.test:{port}/")
            await eventually(lambda: open_ones == KEPT_ORIGINS)
        await eventually(lambda: open_ones == 0)


async def test_our_trace_goes_to_targets_of_ours_only(around: World, job: Context) -> None:
    around.site = lambda method, path: answer("200 OK", body=b"public")
    async with Server(redirecting).listening() as server:
        rules = Outbound(allow=("listed.test", "127.0.0.1"), ports="any", proxy=SecretStr(around.proxy))
        names = Names(site_test=PUBLIC, listed_test=PUBLIC)
        async with Guard(OPEN):
            await fetch(server.url)
        async with Guard(rules, names):
            await fetch(f"http://{SITE}/")
            await fetch("http://listed.test/")

    mine = server.asked[0].header("traceparent")
    assert mine is not None
    assert mine.split("-")[1] == job.trace.trace_id
    assert [False, True] == ["traceparent" in head for head in around.heads]


async def test_a_request_is_a_span_of_its_attempt(recorded: list[Span], job: Context) -> None:
    async with Server(redirecting).listening() as server, Guard(OPEN):
        await fetch(f"{server.url}/302?/there?key=s3cr3t")
        with pytest.raises(Forbidden):
            await fetch("http://10.0.0.1/path?key=s3cr3t")

    first, second, third = map(read, recorded)
    port = server.url.rpartition(":")[2]
    assert [job.trace.span_id] * 3 == [span.parent_id for span in recorded]
    assert {
        "http.request.method": "GET", "server.address": "127.0.0.1", "server.port": port, "url.scheme": "http",
        "url.full": f"{server.url}/302", "http.response.status_code": "302", "network.protocol.version": "1.1",
        "http.response.body.size": "0",
    } == first  # fmt: skip
    assert ("1", "200") == (second["http.request.resend_count"], second["http.response.status_code"])
    assert ("forbidden", "http://10.0.0.1/path") == (third["error.type"], third["url.full"])
    assert "s3cr3t" not in repr(recorded)


async def test_requests_are_counted_by_what_came_of_them() -> None:
    before = dict(table.OUTBOUND.values)
    async with Server(redirecting).listening() as server, Guard(OPEN):
        await fetch(f"{server.url}/302?/there")
        for url in ("http://10.0.0.1/", server.url.replace("127.0.0.1", "127.0.0.1.nip.invalid")):
            with pytest.raises((Forbidden, Unreachable, TooSlow)):
                await fetch(url)

    more = {labels: count - before.get(labels, 0) for labels, count in table.OUTBOUND.values.items()}
    assert {("2xx",): 1, ("3xx",): 1, ("forbidden",): 1} == {
        key: more[key] for key in (("2xx",), ("3xx",), ("forbidden",))
    }


def read(span: Span) -> dict[str, str]:
    """Its attributes, by the protocol's own classes."""
    spans = trace_pb2.ScopeSpans.FromString(span.encoded()).spans
    return {pair.key: str(getattr(pair.value, pair.value.WhichOneof("value"))) for pair in spans[0].attributes}
