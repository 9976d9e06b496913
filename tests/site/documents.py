"""What a well-behaved part of the site serves: articles with their validators, duplicates, links, kinds, encodings."""

from __future__ import annotations

import asyncio
import codecs
import gzip
import json
import zlib
from collections import Counter
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from html import escape

from tests.site.articles import LISTED, article
from tests.site.layouts import document, weighty
from tests.site.server import Answer, Handler, Request, html
from tests.site.words import LANGUAGES

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
# name → (charset of the bytes, Content-Type's charset, meta's charset, byte order mark)
ENCODINGS: dict[str, tuple[str, str | None, str | None, bytes]] = {
    "utf-8-header": ("utf-8", "utf-8", None, b""),
    "utf-8-meta": ("utf-8", None, "utf-8", b""),
    "utf-8-bom": ("utf-8", None, None, codecs.BOM_UTF8),
    "utf-8-silent": ("utf-8", None, None, b""),
    "utf-16-bom": ("utf-16-le", None, None, codecs.BOM_UTF16_LE),
    "utf-16-be-bom": ("utf-16-be", None, None, codecs.BOM_UTF16_BE),
    "latin-1-header": ("iso-8859-1", "iso-8859-1", None, b""),
    "windows-1252-meta": ("windows-1252", None, "windows-1252", b""),
    "latin-2-meta": ("iso-8859-2", None, "iso-8859-2", b""),
    "windows-1251-header": ("windows-1251", "windows-1251", None, b""),
    "windows-1251-silent": ("windows-1251", None, None, b""),
    "koi8-r-meta": ("koi8-r", None, "koi8-r", b""),
    "shift-jis-meta": ("shift_jis", None, "Shift_JIS", b""),
    "euc-jp-header": ("euc_jp", "EUC-JP", None, b""),
    "gb18030-meta": ("gb18030", None, "gb2312", b""),
    "header-beats-meta": ("utf-8", "utf-8", "iso-8859-1", b""),
    "bom-beats-header": ("utf-8", "iso-8859-1", None, codecs.BOM_UTF8),
    "unknown-name": ("utf-8", "utf-9000", "utf-8", b""),
}
_LANGUAGE = {"latin-1": "de", "windows-1252": "fr", "latin-2": "pl", "windows-1251": "ru", "koi8-r": "ru",
             "shift-jis": "ja", "euc-jp": "ja", "gb18030": "zh"}  # fmt: skip

editions: Counter[int] = Counter()
tries: Counter[str] = Counter()


async def front(request: Request, writer: object) -> Answer:
    """The front page: links to everything that is listed."""
    links = "".join(
        f'<li><a href="/articles/{number}">{escape(article(number).title)}</a></li>' for number in range(LISTED)
    )
    return html(f"<!DOCTYPE html><title>The Northern Gazette</title><h1>All articles</h1><ul>{links}</ul>")


async def articles(request: Request, writer: object) -> Answer:
    """An article; unchanged when the asker has this edition of it.  `?ms=` makes it slow, `/stories/7` weighty."""
    number = int(request.parts[1])
    await asyncio.sleep(request.number("ms", 0) / 1000)
    edition = editions[number]
    body, tag = _rendered(number, edition, request.base, request.parts[0] == "stories")
    headers = {"ETag": tag, "Last-Modified": _modified(edition), "Cache-Control": "max-age=0"}
    if request.headers.get("if-none-match") == tag or (
        "if-none-match" not in request.headers and request.headers.get("if-modified-since") == headers["Last-Modified"]
    ):
        return Answer(304, headers)
    headers["Content-Type"] = "text/html; charset=utf-8"
    return _compressed(request, Answer(200, headers, body))


async def duplicates(request: Request, writer: object) -> Answer:
    """The same article under as many addresses as one likes, which names its canonical one."""
    number = int(request.parts[1])
    return html(document(article(number), request.base), link=f'<{request.base}/articles/{number}>; rel="canonical"')


async def control(request: Request, writer: object) -> Answer:
    """`POST /control/edition/7`: somebody changes article 7."""
    editions[int(request.parts[2])] += 1
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(editions[int(request.parts[2])]).encode())


async def encodings(request: Request, writer: object) -> Answer:
    """`/encodings/<name>`: article `encoded(name)`, in that encoding, said in that place."""
    charset, in_header, in_meta, mark = ENCODINGS[request.parts[1]]
    text = document(encoded(request.parts[1]), request.base)
    if in_meta:
        text = text.replace("<head>", f'<head><meta charset="{in_meta}">', 1)
    kind = "text/html" + (f"; charset={in_header}" if in_header else "")
    return Answer(200, {"Content-Type": kind}, mark + text.encode(charset, "xmlcharrefreplace"))


def encoded(name: str):  # type: ignore[no-untyped-def]
    """The article that is served in this encoding."""
    code = next((code for begin, code in _LANGUAGE.items() if name.startswith(begin)), "fr")
    return article(10 * [each.code for each in LANGUAGES].index(code))


async def images(request: Request, writer: object) -> Answer:
    return Answer(200, {"Content-Type": "image/png"}, PIXEL)


async def kinds(request: Request, writer: object) -> Answer:
    """What is no article: `/kinds/pdf`, json, image, empty, text, feed, nothing (no Content-Type), download."""
    kind, body = {
        "pdf": ("application/pdf", b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"),
        "json": ("application/json", b'{"title": "no article"}'),
        "image": ("image/png", PIXEL),
        "empty": ("text/html", b""),
        "blank": ("text/html", b"<html><head><title>Blank</title></head><body></body></html>"),
        "text": ("text/plain; charset=utf-8", "Nur Text, mit Umlauten: äöü.\n".encode() * 20),
        "feed": ("application/rss+xml", b'<?xml version="1.0"?><rss><channel><title>Feed</title></channel></rss>'),
        "xhtml": ("application/xhtml+xml", document(article(0), request.base).encode()),
        "nothing": ("", document(article(0), request.base).encode()),
        "download": ("application/octet-stream", document(article(0), request.base).encode()),
    }[request.parts[1]]
    return Answer(200, {"Content-Type": kind} if kind else {}, body)


async def graph(request: Request, writer: object) -> Answer:
    """`/graph/ring/3/of/5`: documents that link in a circle; `tree/<a.b.c>`: three below each; `trap/<n>`: no end;
    `shelf/<n>?sort=up`: one document in three orders that says so, `lies/<n>`: three that say they are the front page.
    """
    shape, place = request.parts[1], request.parts[2]
    if shape == "ring":
        size = int(request.parts[4])
        links = [f"/graph/ring/{(int(place) + 1) % size}/of/{size}", f"/graph/ring/{place}/of/{size}#top"]
    elif shape == "tree":
        links = [f"/graph/tree/{place}.{number}" for number in range(3)] + ["/graph/tree/0"]
    elif shape == "shelf":
        links = [f"/graph/shelf/{place}{order}" for order in ("", "?sort=up", "?sort=down")] + ["/graph/shelf/1"]
    elif shape == "lies":
        links = [f"/graph/lies/{number}" for number in range(3)]
    else:
        links = [f"/graph/trap/{int(place) + 1}", f"/graph/trap/{int(place) + 1}?utm_source=trap"]
    links += ["http://192.0.2.1/elsewhere", "mailto:nobody@example.org", "javascript:void(0)", "/graph/rare.zip"]
    told = "".join(f'<a href="{link}">{link}</a> ' for link in links)
    own = {"shelf": f"/graph/shelf/{place}", "lies": "/"}.get(shape)
    said = f'<link rel="Canonical" href="{own}">' if own else ""
    return html(
        f"<!DOCTYPE html><title>{shape} {place}</title>{said}<meta name=description content='A node.'><p>{told}"
    )


async def flaky(request: Request, writer: object) -> Answer:
    """`/flaky/<key>/<number>?times=2&status=503&after=1`: so many times a refusal, then the article."""
    key = f"{request.host}/{request.parts[1]}/{request.parts[2]}"
    tries[key] += 1
    if tries[key] > request.number("times", 1):
        return html(document(article(int(request.parts[2])), request.base))
    after = {"retry_after": request.query["after"]} if "after" in request.query else {}
    return html("<title>Later</title>", int(request.number("status", 503)), **after)


async def status(request: Request, writer: object) -> Answer:
    """`/status/410`, with `?after=2` as its Retry-After."""
    after = {"retry_after": request.query["after"]} if "after" in request.query else {}
    return html(f"<title>{request.parts[1]}</title>", int(request.parts[1]), **after)


async def mirror(request: Request, writer: object) -> Answer:
    """What was asked, told back."""
    told = {
        "method": request.method, "path": request.path, "query": dict(request.query), "headers": dict(request.headers),
        "body": request.body.decode("utf-8", "replace"),
    }  # fmt: skip
    return Answer(200, {"Content-Type": "application/json"}, json.dumps(told).encode())


@lru_cache(maxsize=2_048)
def _rendered(number: int, edition: int, base: str, heavy: bool) -> tuple[bytes, str]:
    body = (weighty if heavy else document)(article(number, edition), base).encode()
    return body, f'"{sha256(body).hexdigest()[:16]}"'


def _modified(edition: int) -> str:
    return format_datetime(datetime(2026, 1, 1, 0, edition % 60, tzinfo=UTC), usegmt=True)


def _compressed(request: Request, answer: Answer) -> Answer:
    """`?as=gzip` or deflate: in this encoding, whatever was asked for."""
    how = request.query.get("as")
    if how is None:
        return answer
    body = gzip.compress(answer.body) if how == "gzip" else zlib.compress(answer.body)
    return Answer(answer.status, {**answer.headers, "Content-Encoding": how}, body)


HANDLERS: dict[str, Handler] = {
    "": front, "articles": articles, "stories": articles, "duplicates": duplicates, "control": control,
    "encodings": encodings, "images": images, "kinds": kinds, "graph": graph, "flaky": flaky, "status": status,
    "mirror": mirror,
}  # fmt: skip
