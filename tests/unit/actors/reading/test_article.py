"""An article is told from its page, and what is said about it from where its author said it."""

from __future__ import annotations

import pytest

from actors.trades.reading.article import Article, read_article
from actors.trades.reading.encodings import decode
from actors.trades.reading.extractors import extractor, overrides, registered
from actors.trades.reading.markup import Markup, parse
from actors.trades.reading.unreadable import Unreadable

URL = "https://news.example.org/2026/bridge?utm_source=x"
PARAGRAPHS = [
    "The regional court promises to protect the old stone bridge, and nobody at the meeting had anything against it.",
    "A class of twelve pupils has measured it before the first snow falls; the figures are in the town's archive.",
    "The harbour council will reopen it to carts and walkers when the two middle arches have been mended in spring.",
    "An engineer from the waterworks has photographed every stone of it with the help of many neighbours and friends.",
    "What happens after that is still an open question, says a spokeswoman, who has walked over it for sixty years.",
]
BODY = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
AROUND = "<nav><a href='/'>Home</a><a href='/sport'>Sport</a></nav>{}<footer>All rights reserved. Imprint.</footer>"


def markup(html: str, url: str = URL) -> Markup:
    return parse(decode(html.encode()), url)


def read(head: str = "", body: str = BODY) -> Article:
    return read_article(markup(f"<html><head>{head}</head><body>{AROUND.format(body)}</body></html>"))


def test_the_text_is_the_article_and_nothing_around_it() -> None:
    article = read("<title>The bridge</title>", f"<article><h1>The bridge</h1>{BODY}</article>")

    assert ("\n".join(PARAGRAPHS), "The bridge", "en") == (article.text, article.title, article.language)
    assert article.word_count == sum(len(paragraph.split()) for paragraph in PARAGRAPHS)
    assert [] == article.quality["doubts"]


JSON_LD = """<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [{"@type": "WebSite"},
{"@type": ["NewsArticle"], "headline": "Bridge saved", "author": [{"name": "Ada Weir"}, {"name": "Jo Bank"}],
"datePublished": "2026-03-01T08:30:00Z", "publisher": {"name": "The Gazette"}}]}</script>"""
OPEN_GRAPH = (
    '<meta property="og:title" content="Bridge saved"><meta name="author" content="Ada Weir, Jo Bank">'
    '<meta property="article:published_time" content="2026-03-01T08:30:00Z">'
    '<meta property="og:site_name" content="The Gazette">'
)


@pytest.mark.parametrize("head", [JSON_LD, OPEN_GRAPH])
def test_what_the_head_says(head: str) -> None:
    article = read(head)

    assert ("Bridge saved", "Ada Weir, Jo Bank") == (article.title, article.author)
    assert ("2026-03-01T08:30:00+00:00", "The Gazette") == (article.published_at, article.site_name)


@pytest.mark.parametrize(
    "script", ["{", "[" * 50_000, '{"@type": "NewsArticle", "author": 7, "datePublished": [1]}', '"x"']
)
def test_broken_json_says_nothing(script: str) -> None:
    article = read(f'<title>Plain</title><script type="application/ld+json">{script}</script>')

    assert ("Plain", None) == (article.title, article.author)


def test_a_byline_ends_where_its_date_begins() -> None:
    article = read(body=f'<div class="byline">By Ingrid Bakke, 2026-04-30</div>{BODY}')

    assert ("Ingrid Bakke", "2026-04-30") == (article.author, article.published_at)


@pytest.mark.parametrize(
    ("body", "url", "expected"),
    [
        ("<p>{}</p><div><a href='/x'>Other</a><span>2024-03-21</span></div>", URL, None),
        ("<p class='date'>Published 21 March 2024</p>{}", URL, "2024-03-21"),
        ("<aside class='date'>2024-03-21</aside>{}", "https://news.example.org/2025/01/31/x", "2025-01-31"),
    ],
)
def test_a_date_is_not_guessed_from_the_whole_page(body: str, url: str, expected: str | None) -> None:
    assert expected == read_article(markup(body.format(BODY), url)).published_at


def test_teasers_below_are_no_part_of_it() -> None:
    teasers = "".join(
        f"<div class='teaser'><a href='/{n}'>Other {n}</a><p>Also today, {n}.</p></div>" for n in range(30)
    )

    assert "\n".join(PARAGRAPHS) == read(body=f"<div class='story'>{BODY}</div><section>{teasers}</section>").text


def test_links_and_images_are_absolute_and_once() -> None:
    article = read(
        '<base href="/archive/"><meta property="og:image" content="/top.png">',
        f"<article>{BODY}<p><a href='old#x'>Old</a> <a href='./old'>again</a> <a href='mailto:a@b.c'>mail</a>"
        "<a href='javascript:alert(1)'>no</a><img data-src='late.png' src='data:image/gif;base64,R0'></p></article>",
    )

    assert ("https://news.example.org/top.png", "https://news.example.org/archive/late.png") == article.images
    assert "https://news.example.org/archive/old" in article.links
    assert len(article.links) == len(set(article.links)) == 3


def test_little_text_is_told_as_a_doubt() -> None:
    assert "short" in read(body="<article><p>Closed today, says the mayor of the town.</p></article>").quality["doubts"]


@pytest.mark.parametrize(
    "html", ["", "   ", "<!-- x -->", "<html><body><img src=x></body></html>", "<script>1</script>"]
)
def test_a_document_without_text_is_told_so(html: str) -> None:
    with pytest.raises(Unreadable, match=r"nothing"):
        read_article(markup(html))


def test_a_deep_document_is_read_to_the_cut() -> None:
    article = read(body=f"<article>{BODY}</article>{'<div>' * 5_000}deep")

    assert "cut" in article.quality["doubts"]
    assert PARAGRAPHS[0] in article.text


def test_a_book_on_one_page_is_read_without_being_weighed() -> None:
    article = read(body=f"<article>{BODY * 3_001}</article>")

    assert ["large"] == article.quality["doubts"]
    assert 3_001 * sum(len(paragraph.split()) for paragraph in PARAGRAPHS) == article.word_count
    assert article.text.startswith("\n".join(PARAGRAPHS))


def test_too_many_elements_are_refused_before_they_are_a_tree() -> None:
    with pytest.raises(Unreadable, match="at most 300000 are read"):
        markup("<b>" * 300_001)


def test_a_user_knows_better_about_one_host() -> None:
    place = registered("https://news.example.org/x")
    assert place is not None

    article = read_article(markup(f"<h1>Wrong</h1><h2 class=t>Right</h2>{BODY}"), overrides(place))

    assert ("Right", "The desk") == (article.title, article.author)
    assert PARAGRAPHS[0] in article.text
    assert (place, None) == (registered("https://a.b.example.net/"), registered("https://example.net/"))


@extractor("*.example.net")
@extractor("news.example.org")
def by_desk(document: Markup) -> dict[str, object]:
    return {"title": document.selector.css("h2.t::text").get(), "author": "The desk"}


def wrong(document: Markup) -> dict[str, object]:
    return {"headline": "x"}


def broken(document: Markup) -> dict[str, object]:
    raise KeyError("price")


@pytest.mark.parametrize(("function", "words"), [(wrong, "unknown: headline"), (broken, "failed: KeyError: 'price'")])
def test_an_extractor_that_fails_is_named(function: object, words: str) -> None:
    name = getattr(function, "__name__", "")

    with pytest.raises(Unreadable, match=rf"the extractor .*:{name} .*{words}"):
        read_article(markup(BODY), overrides(f"{__name__}:{name}"))


def test_an_extractor_must_be_one_that_another_process_finds() -> None:
    with pytest.raises(ValueError, match="cannot be imported elsewhere"):
        extractor("x.example.org")(lambda document: None)
    with pytest.raises(ValueError, match="a host such as"):
        extractor("https://x.example.org/")
