"""How an article stands in its document: ten manners, from well marked-up to a heap of tables.

Around each stands what surrounds articles everywhere and is not theirs: menus, banners, what others read, comments.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import lru_cache
from html import escape

from tests.site.articles import LISTED, Article, article

SITE = "The Northern Gazette"
MENU = ("Home", "Politics", "Business", "Culture", "Weather", "Sport", "Opinion", "Archive", "Subscribe")
FOOTER = "© The Northern Gazette. All rights reserved. Imprint, privacy policy, terms of use, cookie settings, contact."
BANNER = "We value your privacy. This site uses cookies to make it work and to count its readers. Accept all or reject."
REMARKS = (
    "First! I have been saying this for years and nobody listens.",
    "My grandmother lived next door, it was never like that.",
    "Typical. Who pays for this? We do.",
    "Thank you for writing about it, more of this please!",
    "I disagree with the comment above, did you even read it?",
)


def document(one: Article, base: str) -> str:
    """The whole document; `base` is the address that it is served at."""
    return LAYOUT[one.layout](one, base)


def weighty(one: Article, base: str) -> str:
    """The same document with what articles carry about in the world: big menus, teasers, and the state of a script."""
    begin, end = _weight(one.number % 16)
    head, body, rest = document(one, base).partition("<TABLE" if one.layout == "tables" else "<body>")
    if one.layout in ("tables", "broken"):
        return f"{head}{begin}{body}{rest}{end}" if one.layout == "tables" else f"{head}{body}{begin}{rest}"
    foot = rest.rfind("<footer")
    return f"{head}{body}{begin}{rest[:foot]}{end}{rest[foot:]}"


def plain(one: Article, base: str) -> str:
    """As the textbook has it: elements and meta tags that say what they are."""
    meta = [f'<link rel="canonical" href="{base}{one.path}">', *_meta(one)]
    inner = f"<article><h1>{escape(one.title)}</h1>{_byline(one)}{_figure(one)}{_text(one)}</article>"
    return _page(one, "\n".join(meta), f"<main>{inner}</main>")


def jsonld(one: Article, base: str) -> str:
    said = {
        "@context": "https://schema.org", "@type": "NewsArticle", "headline": one.title,
        "author": [{"@type": "Person", "name": one.author}], "datePublished": f"{one.published}T08:30:00+01:00",
        "inLanguage": one.language.code, "mainEntityOfPage": f"{base}{one.path}", "image": [base + one.images[0]],
        "publisher": {"@type": "Organization", "name": SITE},
    }  # fmt: skip
    script = f'<script type="application/ld+json">{json.dumps(said, ensure_ascii=False)}</script>'
    inner = f'<div class="c-story"><h1 class="c-title">{escape(one.title)}</h1>{_figure(one)}<div class="c-body">'
    return _page(one, script, f"{inner}{_text(one)}</div></div>")


def microdata(one: Article, base: str) -> str:
    inner = (
        f'<div itemscope itemtype="https://schema.org/Article"><h1 itemprop="headline">{escape(one.title)}</h1>'
        f'<span itemprop="author" itemscope itemtype="https://schema.org/Person"><span itemprop="name">{one.author}'
        f'</span></span> <time itemprop="datePublished" datetime="{one.published}">{one.published}</time>'
        f'{_figure(one)}<div itemprop="articleBody">{_text(one)}</div></div>'
    )
    return _page(one, "", inner)


def bare(one: Article, base: str) -> str:
    """No word of metadata: a byline for people, and boxes in boxes."""
    boxes = "".join(f'<div class="x{number}"><p>{text}</p></div>' for number, text in enumerate(_linked(one)))
    inner = (
        f'<div id="content"><div class="h"><h1>{escape(one.title)}</h1></div>'
        f'<div class="byline">{one.language.by} {one.author}, {one.published}</div>{_figure(one)}{boxes}</div>'
    )
    return _page(one, "", inner)


def tables(one: Article, base: str) -> str:
    """As sites were made in 1999."""
    text = "".join(f"<p><font face=Times size=3>{text}</font></p>" for text in _linked(one))
    menu = "<br>".join(f'<a href="/{word.lower()}">{word}</a>' for word in MENU)
    return (
        f"<HTML><HEAD><TITLE>{escape(one.title)} - {SITE}</TITLE>"
        f'<META NAME="author" CONTENT="{one.author}"><META NAME="date" CONTENT="{one.published}"></HEAD>'
        f"<BODY BGCOLOR=#FFFFFF><TABLE WIDTH=900><TR><TD VALIGN=top WIDTH=140>{menu}</TD>"
        f"<TD><H1>{escape(one.title)}</H1>{_figure(one)}{text}</TD></TR>"
        f"<TR><TD COLSPAN=2><CENTER><FONT SIZE=1>{FOOTER}</FONT></CENTER></TD></TR></TABLE></BODY></HTML>"
    )


def noisy(one: Article, base: str) -> str:
    """Advertisements between the paragraphs and a long quarrel below."""
    dice = random.Random(f"noise {one.number}")
    parts = []
    for number, text in enumerate(_linked(one)):
        parts.append(f"<p>{text}</p>")
        if number % 3 == 1:
            parts.append(
                '<aside class="advert"><a href="/shop">Advertisement: thirty percent off all boots</a></aside>'
            )
    remarks = "".join(
        f'<li class="comment"><b>reader{dice.randrange(999)}</b><p>{dice.choice(REMARKS)}</p></li>' for _ in range(25)
    )
    inner = (
        f'<article class="post"><h1>{escape(one.title)}</h1>{_byline(one)}{_figure(one)}{"".join(parts)}</article>'
        f'<div id="comments" class="comments"><h2>25 comments</h2><ul>{remarks}</ul></div>'
    )
    return _page(one, "\n".join(_meta(one)), f"<main>{inner}</main>")


def listed(one: Article, base: str) -> str:
    """Its text is partly a list and a quotation."""
    first, *rest = _linked(one)
    half = len(rest) // 2
    items = "".join(f"<li>{text}</li>" for text in rest[:half])
    text = f"<p>{first}</p><ul>{items}</ul>" + "".join(f"<blockquote><p>{one}</p></blockquote>" for one in rest[half:])
    inner = f"<article><h1>{escape(one.title)}</h1>{_byline(one)}{_figure(one)}{text}</article>"
    return _page(one, "\n".join(_meta(one)), f"<main>{inner}</main>")


def short(one: Article, base: str) -> str:
    return _page(one, "", f"<article><h1>{escape(one.title)}</h1>{_figure(one)}{_text(one)}</article>")


def broken(one: Article, base: str) -> str:
    """Nothing is closed, things are nested as they must not be, a script was cut off."""
    text = "".join(f"<p><b><i>{text}</b></i>" for text in _linked(one))
    return (
        f"<html><head><title>{escape(one.title)} | {SITE}</title>{''.join(_meta(one))}<body><div><div>"
        f"<h1>{escape(one.title)}<div class=nav><ul><li><a href=/home>Home<li><a href=/weather>Weather</ul></div>"
        f"</h1><article>{_figure(one)}{text}</article></span></td></table><div class=footer>{FOOTER}"
        "<script>var unfinished = '<p>this is no text</p>"
    )


def social(one: Article, base: str) -> str:
    """Only what is meant for the previews of others says who and when."""
    meta = [
        f'<meta property="og:title" content="{escape(one.title)}"><meta property="og:type" content="article">',
        f'<meta property="og:image" content="{base}{one.images[0]}"><meta property="og:site_name" content="{SITE}">',
        f'<meta property="article:published_time" content="{one.published}T10:00:00Z">',
        f'<meta property="article:author" content="{one.author}"><meta name="twitter:card" content="summary">',
    ]
    share = "".join(f'<a class="share" href="https://{who}.example/share">{who}</a>' for who in ("blue", "red", "bird"))
    inner = f'<section class="story"><h2>{escape(one.title)}</h2>{share}{_figure(one)}{_text(one)}{share}</section>'
    return _page(one, "\n".join(meta), inner)


LAYOUT: dict[str, Callable[[Article, str], str]] = {
    each.__name__: each
    for each in (plain, jsonld, microdata, bare, tables, noisy, listed, short, broken, social)
}  # fmt: skip


def _page(one: Article, head: str, inner: str) -> str:
    dice = random.Random(f"around {one.number}")
    others = [article(dice.randrange(LISTED)) for _ in range(8)]
    menu = "".join(f'<li><a href="/{word.lower()}">{word}</a></li>' for word in MENU)
    read = "".join(f'<li><a href="{other.path}">{escape(other.title)}</a></li>' for other in others)
    return f"""<!DOCTYPE html>
<html lang="{one.language.code}"><head>
<title>{escape(one.title)} | {SITE}</title>
{head}
<link rel="stylesheet" href="/style.css"><script>window.counted = {{"reader": {one.number}, "of": "{SITE}"}};</script>
<style>body {{ margin: 0 auto; max-width: 60em }} .advert {{ color: gray }} .c-body p {{ line-height: 1.5 }}</style>
</head><body>
<div id="cookie-banner" class="cookie-consent" role="dialog"><p>{BANNER}</p><button>Accept</button></div>
<header class="site-header"><a href="/" class="logo">{SITE}</a><nav><ul>{menu}</ul></nav></header>
{inner}
<aside class="sidebar related"><h3>Most read</h3><ul>{read}</ul></aside>
<div class="newsletter"><form action="/newsletter"><label>Your address <input name="address"></label></form></div>
<footer class="site-footer"><p>{FOOTER}</p></footer>
</body></html>
"""


@lru_cache
def _weight(kind: int) -> tuple[str, str]:
    """What stands before the article and behind it; a site has some kinds of documents, not one for each."""
    dice = random.Random(f"weight {kind}")
    menu = "".join(f'<li class="m{n % 7}"><a href="/topics/{n}">{MENU[n % 9]} {n}</a></li>' for n in range(150))
    state = {f"s{n}": {"id": dice.randrange(10**9), "shown": n % 3 == 0, "tags": [MENU[n % 9]] * 3} for n in range(350)}
    teasers = "".join(_teaser(article(dice.randrange(LISTED))) for _ in range(30))
    script = f"<script>window.state = {json.dumps(state)}</script>"
    return (
        f'<nav class="mega-menu"><ul>{menu}</ul></nav>{script}',
        f'<section class="teasers">{teasers}</section>',
    )


def _teaser(other: Article) -> str:
    return (
        f'<div class="teaser"><a href="{other.path}"><picture><img src="{other.images[0]}" alt=""></picture>'
        f'<h4>{escape(other.title)}</h4></a><p class="summary">{escape(other.title)} …</p><span>'
        f"{other.published}</span></div>"
    )


def _meta(one: Article) -> list[str]:
    return [
        f'<meta name="author" content="{one.author}">',
        f'<meta property="og:title" content="{escape(one.title)}">',
        f'<meta property="article:published_time" content="{one.published}T08:30:00+00:00">',
    ]


def _byline(one: Article) -> str:
    return f'<p class="byline">{one.language.by} <a rel="author" href="/authors">{one.author}</a></p>'


def _figure(one: Article) -> str:
    return f'<figure><img src="{one.images[0]}" alt="" width="640" height="480"></figure>'


def _text(one: Article) -> str:
    return "".join(f"<p>{text}</p>\n" for text in _linked(one))


def _linked(one: Article) -> list[str]:
    """The paragraphs; the last words of the first ones link to other articles."""
    told = [escape(text) for text in one.paragraphs]
    for number, link in enumerate(one.links[: len(told)]):
        text = told[number]
        told[number] = f'{text[:-12]}<a href="{link}">{text[-12:-1]}</a>{text[-1:]}' if "&" not in text[-12:] else text
    return told
