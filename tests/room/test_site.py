"""The site that crawls are proved on says what it was asked, and keeps its own promises."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.site.articles import article, listed
from tests.site.asked import Asked, gaps, most_at_once
from tests.site.documents import ENCODINGS, encoded
from tests.site.layouts import LAYOUT, document
from tests.site.quality import overlap, same
from tests.site.served import Site


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=20) as one:
        yield one


def asked(began: float, ended: float, host: str = "a") -> Asked:
    return Asked(host, host, "GET", "/", {}, {}, 200, 0, 0, began, ended)


def test_an_article_is_the_same_in_every_process_and_changes_with_its_edition(site: Site, client: httpx.Client) -> None:
    url = site.url("/articles/390")
    first = client.get(url)
    same_one = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    site.change(390)
    second = client.get(url, headers={"If-None-Match": first.headers["ETag"]})

    assert document(article(390), site.url("")) == first.text
    assert (304, b"", 200) == (same_one.status_code, same_one.content, second.status_code)
    assert first.text != second.text


def test_the_log_tells_who_asked_what_when(site: Site, client: httpx.Client) -> None:
    client.get(site.url("/mirror?why=log", host=31), headers={"User-Agent": "proof"})
    one = site.asked(host=31, path="/mirror")[-1]

    assert (site.host(31), "GET", "/mirror", {"why": "log"}, 200) == (
        one.host,
        one.method,
        one.path,
        one.query,
        one.status,
    )
    assert "proof" == one.headers["user-agent"]
    assert one.began <= one.ended


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_every_encoding_can_be_read_back(site: Site, client: httpx.Client, name: str) -> None:
    body = client.get(site.url(f"/encodings/{name}")).content
    text = body.decode("utf-16" if name.startswith("utf-16-bom") else ENCODINGS[name][0])

    assert encoded(name).paragraphs[-1] in text


def test_every_layout_language_and_edge_is_listed() -> None:
    every = listed()

    assert set(LAYOUT) == {one.layout for one in every}
    assert 8 == len({one.language.code for one in every})
    assert len(every) == len({one.text for one in every})
    assert [] == [one.number for one in every if one.paragraphs[-1][:12] not in document(one, "http://x")]


def test_gaps_are_negative_where_requests_overlap() -> None:
    log = [asked(0, 1), asked(1.5, 2), asked(1.75, 3), asked(0, 9, "b")]

    assert {"a": [0.5, -0.25], "b": []} == gaps(log)
    assert 3 == most_at_once(log)


def test_quality_tells_the_missing_from_the_superfluous() -> None:
    whole, half, more = overlap("a b c d", "d c b a"), overlap("a b c d", "a b"), overlap("a b", "a b c d")

    assert (1.0, 1.0) == (whole.precision, whole.recall)
    assert ((1.0, 0.5), (0.5, 1.0)) == ((half.precision, half.recall), (more.precision, more.recall))
    assert 0.5 == overlap("古い橋", "古い道の丘の").recall * 0.75
    assert same("The Old  Bridge", "the old—bridge")
