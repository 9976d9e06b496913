"""What the site asks of robots, by the last number of the address, and its sitemaps.

| address | robots.txt |
|---|---|
| 127.0.0.2 | everything but `/private`, for one robot nothing at all; names the sitemap |
| 127.0.0.3 | 500 |
| 127.0.0.4 | 404: everything is allowed |
| 127.0.0.5 | far longer than anybody should read |
| 127.0.0.6 | redirects to that of 127.0.0.2 |
| 127.0.0.7 | never answers |
| 127.0.0.8 | nothing is allowed |
| 127.0.0.9 | bytes that mean nothing |
| 127.0.0.10 | `Crawl-delay: 2` |
| 127.0.0.11 | 403 |
| 127.0.0.12 | names two sitemaps, neither where one lies by custom, and one that is no address |
| the others | everything is allowed |
"""

from __future__ import annotations

import asyncio
import gzip

from tests.site.articles import LISTED, article
from tests.site.server import Answer, Handler, Request

ORDINARY = 20  # from this number on a host has nothing particular
LONG = b"# nobody reads this far\n" * 60_000 + b"User-agent: *\nDisallow: /\n"


async def robots(request: Request, writer: object) -> Answer:
    number = int(request.address.rpartition(".")[2])
    port = request.host.rpartition(":")[2]
    if number == 7:
        await asyncio.sleep(3_600)
    if number == 6:
        return Answer(302, {"Location": f"http://127.0.0.2:{port}/robots.txt"})
    status, body = {
        2: (200, f"User-agent: nosy\nDisallow: /\n\nUser-agent: *\nDisallow: /private\nAllow: /private/open\n"
                 f"Sitemap: {request.base}/sitemap.xml\n".encode()),
        3: (500, b"out of order"),
        4: (404, b"no such document"),
        5: (200, LONG),
        8: (200, b"User-agent: *\nDisallow: /\n"),
        9: (200, bytes(range(256)) * 4),
        10: (200, b"User-agent: *\nCrawl-delay: 2\n"),
        11: (403, b"go away"),
        12: (200, f"User-agent: *\nAllow: /\nSitemap: {request.base}/sitemaps/few.xml\nsitemap: mailto:me@example.org\n"
                  f"Sitemap: {request.base}/sitemaps/3.txt\n".encode()),
    }.get(number, (200, b"User-agent: *\nAllow: /\n"))  # fmt: skip
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8"}, body)


async def private(request: Request, writer: object) -> Answer:
    return Answer(200, {"Content-Type": "text/html"}, b"<title>Private</title><p>No robot should have read this.</p>")


async def sitemap(request: Request, writer: object) -> Answer:
    """An index of three: plain, compressed, and as text."""
    maps = "".join(
        f"<sitemap><loc>{request.base}/sitemaps/{name}</loc></sitemap>" for name in ("1.xml", "2.xml.gz", "3.txt")
    )
    return _xml(f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{maps}</sitemapindex>")


async def sitemaps(request: Request, writer: object) -> Answer:
    """`/sitemaps/<name>`: the three parts, and some that are wrong."""
    name, base, third = request.parts[1], request.base, LISTED // 3
    if name == "1.xml":
        return _xml(_urls(base, range(third)))
    if name == "2.xml.gz":
        return Answer(
            200, {"Content-Type": "application/gzip"}, gzip.compress(_urls(base, range(third, 2 * third)).encode())
        )
    if name == "3.txt":
        told = "\n".join(f"{base}/articles/{number}" for number in range(2 * third, LISTED))
        return Answer(200, {"Content-Type": "text/plain"}, told.encode())
    wrong = {
        "few.xml": _urls(base, range(3)),
        "broken.xml": f"{_urls(base, range(5))[:-40]}",
        "cyclic.xml": f"<sitemapindex><sitemap><loc>{base}/sitemaps/cyclic.xml</loc></sitemap></sitemapindex>",
        "foreign.xml": "<urlset><url><loc>http://192.0.2.1/elsewhere</loc></url></urlset>",
        "laughs.xml": _LAUGHS,
        "external.xml": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><urlset><url><loc>&e;</loc></url></urlset>',
    }
    return _xml(wrong[name])


_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE u [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]><urlset><url><loc>&a11;</loc></url></urlset>"
)


def _urls(base: str, numbers: range) -> str:
    told = "".join(
        f"<url><loc>{base}/articles/{number}</loc><lastmod>{article(number).published or '2026-01-01'}</lastmod></url>"
        for number in numbers
    )
    return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{told}</urlset>"


def _xml(text: str) -> Answer:
    return Answer(200, {"Content-Type": "application/xml"}, text.encode())


HANDLERS: dict[str, Handler] = {
    "robots.txt": robots, "private": private, "sitemap.xml": sitemap, "sitemaps": sitemaps,
}  # fmt: skip
