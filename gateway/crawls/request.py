"""Read what POST /api/v1/crawls takes: the addresses of articles, and how old an answer may be.

The articles are read one by one and in turns, as the jobs of a batch are; what is wrong is told by its place, as in
`articles[3].url`, as many faults as fit into an answer.  An address is judged by how it is written only: whether it may
be asked at all is for the guard of outbound requests to say, when somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from gateway.entrance.turn import Turn
from gateway.submitting.batches import MOST_FAULTS, refusal_of
from gateway.submitting.large_body import FieldReader, bytes_of, id_of, values_of, within
from gateway.submitting.split import jobs_of
from wire import strict_json
from wire.errors import Refused
from wire.fields import READERS, kind
from wire.web_address import canonical

LONGEST_AGE: Final = timedelta(days=3_650)
MOST_LABEL: Final = 200
MOST_WRITTEN: Final = 8_192  # characters of an address as it was written; what browsers and servers take


@dataclass(frozen=True, slots=True)
class Asked:
    """A crawl as it was asked for; its articles are bytes still."""

    articles: bytes = b"[]"
    id: UUID | None = None
    max_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class AskedArticle:
    """One of its articles; `address` is the one spelling of `url`."""

    url: str
    address: str
    source: str | None = None
    category: str | None = None
    priority: int | None = None


def read(body: bytes) -> Asked:
    """What is asked for, or Refused."""
    remedy = 'send {"articles": [{"url": "https://…"}, …]}'
    values = values_of(body, _READERS, "a crawl", remedy)
    if "articles" not in values:
        raise Refused("articles", "is missing", remedy)
    return Asked(**values)


async def articles_of(asked: bytes, most: int) -> list[AskedArticle]:
    """The articles in these bytes, or Refusal with their faults."""
    try:
        pieces = await jobs_of(asked, lines=False, most=most, what="article")
    except Refused as e:
        raise within("articles", e) from e
    turn, faults, articles = Turn(), list[Refused](), list[AskedArticle]()
    for number, piece in enumerate(pieces):
        await turn.pass_on()
        try:
            articles.append(_article(strict_json.parse(piece)))
        except Refused as e:
            faults.append(within(f"articles[{number}]", e))
            if len(faults) == MOST_FAULTS:
                break
    if faults:
        raise refusal_of(faults)
    return articles


def _article(fields: object) -> AskedArticle:
    if not isinstance(fields, dict):
        raise Refused("body", f"must be a JSON object, got {kind(fields)}", 'send {"url": "https://…"}')
    for name in fields:
        if name not in _OF_AN_ARTICLE:
            raise Refused(name[:80], "is not a field of an article", f"it has {', '.join(_OF_AN_ARTICLE)}")
    if fields.get("url") is None:
        raise Refused("url", "is missing", "every article has its address")
    said = {name: _OF_AN_ARTICLE[name](name, value) for name, value in fields.items() if value is not None}
    return AskedArticle(**said, address=canonical(said["url"]))


def _url(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Refused(name, f"must be a string, got {kind(value)}", "send the address of a web page")
    if len(value) > MOST_WRITTEN:
        raise Refused(name, f"has {len(value)} characters; at most {MOST_WRITTEN} are taken", "use a shorter one")
    return value


def _label(name: str, value: object) -> str | None:
    if not isinstance(value, str):
        raise Refused(name, f"must be a string, got {kind(value)}", "use a word of yours, or leave it out")
    if len(value) > MOST_LABEL or not value.isprintable():
        raise Refused(name, f"{value[:60]!r} is not a word", f"use at most {MOST_LABEL} printable characters")
    return value or None


def _max_age(name: str, raw: bytes) -> timedelta:
    value = strict_json.parse(raw, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(name, f"must be a number of seconds, got {kind(value)}", "0 reads every article anew")
    if not 0 <= value <= LONGEST_AGE.total_seconds():
        raise Refused(name, f"{value:.12g} is not an age", f"use 0 to {LONGEST_AGE.total_seconds():.0f} seconds")
    return timedelta(seconds=value)


_READERS: Final[Mapping[str, FieldReader]] = {"articles": bytes_of, "max_age": _max_age, "id": id_of}
_OF_AN_ARTICLE: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "url": _url, "source": _label, "category": _label, "priority": READERS["priority"],
}  # fmt: skip
