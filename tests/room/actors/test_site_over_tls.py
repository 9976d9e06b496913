"""The tests' site over TLS and HTTP/2: a crawl by name, to the address that was judged, of the certificate's name."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from actors.trades.outbound.guard import Guard
from persistence.store.database import Database
from tests import certificates
from tests.conftest import Places
from tests.room.actors.http2_server import Http2Server, Spoken
from tests.room.actors.outbound_world import Names
from tests.room.actors.reading_lane import reading_lane
from tests.site import documents, robots
from tests.site.server import Request
from wire.settings import Outbound

NEWS, OTHER = "news.test", "other.test"
# the name says another address the second time, which nothing allows
NAMES = {"news_test": "127.0.0.1,127.0.0.9", "other_test": "127.0.0.1"}
RULES = Outbound(allow=("127.0.0.1",), ports="any")
HANDLERS = documents.HANDLERS | robots.HANDLERS


async def reply(spoken: Spoken, stream: int, path: str) -> None:
    """As the site answers it."""
    asked = urlsplit(path)
    request = Request("GET", asked.path, dict(parse_qsl(asked.query, True)), {}, b"", "127.0.0.20")
    answer = await HANDLERS[request.parts[0]](request, spoken.writer)
    assert answer is not None
    headers = [(name.lower(), value) for name, value in answer.headers.items()]
    spoken.h2.send_headers(stream, [(":status", str(answer.status)), *headers])
    spoken.h2.send_data(stream, answer.body, end_stream=True)
    await spoken.flush()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server shows, which speaks HTTP/2 alone, and what trusts it."""
    folder: Path = tmp_path_factory.mktemp("tls")
    server, client = certificates.certified(folder, NEWS)
    server.set_alpn_protocols(["h2"])
    return server, client


async def test_a_crawl_goes_over_one_connection_to_the_address_that_was_judged(
    places: Places, database: Database, both: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    names = Names(**NAMES)
    async with Http2Server(reply).listening(both[0]) as server:
        url = server.url.replace("localhost", NEWS)
        async with reading_lane(places, database, Guard(RULES, names, both[1])) as reading:
            crawled = await reading.result("crawl_url", url=f"{url}/graph/tree/0", depth=1, archive=False)
            connections, asked = server.connections, list(server.paths)

    paths = ["/graph/tree/0", *(f"/graph/tree/0.{number}" for number in range(3))]
    assert [f"{url}{path}" for path in paths] == [page["url"] for page in crawled["pages"]]
    assert ([], 1, [NEWS]) == (crawled["failed"], connections, names.asked)
    assert ["/robots.txt", *paths] == asked


async def test_a_server_that_cannot_prove_the_name_is_asked_nothing(
    places: Places, database: Database, both: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """
    It lies at an allowed address, and shows the certificate of another name.
    """
    async with Http2Server(reply).listening(both[0]) as server:
        url = server.url.replace("localhost", OTHER)
        async with reading_lane(places, database, Guard(RULES, Names(**NAMES), both[1])) as reading:
            error = await reading.error("scrape_article", url=f"{url}/articles/1")
            asked = list(server.paths)

    assert ([], True) == (asked, "certificate verify failed" in error), error
