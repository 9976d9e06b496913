"""A sitemap is read in every form that sites have, and none of them fills the memory."""

from __future__ import annotations

import gzip

import pytest

from actors.trades.reading import sitemap
from actors.trades.reading.sitemap import Sitemap, read_sitemap
from actors.trades.reading.unreadable import Unreadable

URL = "https://example.org/sitemap.xml"
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
LIST = f"<?xml version='1.0'?><urlset {SPACE}><url><loc> https://Example.org/a#x </loc></url><url><loc>/b</loc></url>"
BOTH = Sitemap(("https://example.org/a", "https://example.org/b"), ())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"{LIST}</urlset>".encode(), BOTH),
        (gzip.compress(f"{LIST}</urlset>".encode()), BOTH),
        (f"{LIST}<url><loc>https://example.org/cut".encode(), BOTH),
        (LIST.replace(SPACE, "").encode() + b"</urlset>", BOTH),
        (b"https://example.org/a\nhttps://example.org/b\nmailto:x@y.z\n", BOTH),
        (f"<sitemapindex {SPACE}><sitemap><loc>/2.xml</loc></sitemap></sitemapindex>".encode(),
         Sitemap((), ("https://example.org/2.xml",))),
        (f"<urlset {SPACE}></urlset>".encode(), Sitemap((), ())),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><urlset><url><loc>/&a;</loc></url></urlset>',
         Sitemap(("https://example.org/",), ())),
    ],
)  # fmt: skip
def test_what_is_listed(body: bytes, expected: Sitemap) -> None:
    assert expected == read_sitemap(body, URL)


@pytest.mark.parametrize("body", [b"<html><body>Not found</body></html>", b"\x1f\x8bbroken"])
def test_what_is_no_sitemap(body: bytes) -> None:
    with pytest.raises(Unreadable, match="sitemap"):
        read_sitemap(body, URL)


def test_a_packed_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "MOST_BYTES", 10_000)

    with pytest.raises(Unreadable, match="longer than 10000 bytes"):
        read_sitemap(gzip.compress(b" " * 1_000_000), URL)


def test_no_more_than_was_asked_for() -> None:
    assert BOTH.documents[:1] == read_sitemap(f"{LIST}</urlset>".encode(), URL, most=1).documents
