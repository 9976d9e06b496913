"""What a selector finds is given as it was asked for; one that cannot be understood is refused at the door."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from actors.trades.reading.encodings import decode
from actors.trades.reading.links import links
from actors.trades.reading.markup import parse
from actors.trades.reading.preview import preview, shortened
from actors.trades.reading.selectors import Wanted, select

HTML = b"""<html><head><title> A  list </title></head><body><h1 class="t">Boats</h1>
<ul><li class=boat data-id=1><a href="/b/1#top">Heron</a> <b>4 m</b></li>
<li class=boat data-id=2><a href="/b/2" rel=nofollow>Grebe</a></li></ul><p><script>var x</script>Two boats.</p>
</body></html>"""
MARKUP = parse(decode(HTML), "https://boats.example.org/list")


class Asked(BaseModel):
    fields: dict[str, Wanted]


def found(want: Any) -> Any:
    return select(MARKUP, Asked(fields={"it": want}).fields)["it"]


@pytest.mark.parametrize(
    ("want", "expected"),
    [
        ("h1.t", "Boats"),
        ("h1::text", "Boats"),
        ("//h1", "Boats"),
        ("count(//li)", 2.0),
        ("string(//h1)", "Boats"),
        ("//h1/@class", "t"),
        ("descendant::h1", "Boats"),
        ({"select": "li a", "fields": {"to": "@href", "self": "self::a"}}, {"to": "/b/1#top", "self": "Heron"}),
        (".boat a", "Heron"),
        ("a::attr(href)", "/b/1#top"),
        (".none", None),
        ({"select": ".none", "many": True}, []),
        ({"select": "li a", "many": True}, ["Heron", "Grebe"]),
        ({"select": "li a::attr(href)", "many": True}, ["/b/1#top", "/b/2"]),
        ({"select": "li a", "attribute": "href"}, "https://boats.example.org/b/1"),
        ({"select": "li", "take": "attribute", "attribute": "data-id", "many": True}, ["1", "2"]),
        ({"select": "h1", "take": "html"}, '<h1 class="t">Boats</h1>'),
        (
            {
                "select": "li.boat",
                "many": True,
                "fields": {"name": "a", "length": "./b", "id": {"select": "./@data-id"}},
            },
            [{"name": "Heron", "length": "4 m", "id": "1"}, {"name": "Grebe", "length": None, "id": "2"}],
        ),
    ],
)
def test_what_is_found(want: Any, expected: Any) -> None:
    assert expected == found(want)


@pytest.mark.parametrize("want", ["li[", "//li[", "", ":nonsense(", {"select": "li", "take": "price"}, 7])
def test_a_selector_that_cannot_be_understood(want: Any) -> None:
    with pytest.raises(ValidationError):
        Asked(fields={"it": want})


def test_a_crawler_follows_what_it_may() -> None:
    every = ["https://boats.example.org/b/1", "https://boats.example.org/b/2"]
    closed = parse(decode(b'<meta name="Robots" content="noindex, NOFOLLOW">' + HTML), "https://boats.example.org/list")

    assert (every, every[:1], []) == (links(MARKUP), links(MARKUP, follow=True), links(closed, follow=True))


def test_the_preview() -> None:
    shown = preview(MARKUP)

    assert ("A list", "Boats Heron 4 m Grebe Two boats.") == (shown.title, shown.preview)
    assert "Boats sail…" == shortened("Boats sail, slowly", 12)
