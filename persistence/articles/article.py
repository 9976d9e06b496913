"""An article in words and rows: what the rest of this package takes and returns.

`Content` is what was read; two documents that say the same have the same content and are kept once.  A document with
hardly any words ("please accept", "not found") is nobody's copy: its hash is of its address too.  What Postgres could
not store of a text (NUL, half a character) is replaced before it is hashed, because pages say whatever they like.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from persistence.store.database import Row
from wire.identity import HASH_BYTES, id_from_key

DEFAULT_MAX_AGE: Final = timedelta(days=1)
LEAST_WORDS: Final = 50  # of a text whose copies are taken for the same article
MOST_TITLE: Final = 1_000  # characters, of an author too


@dataclass(frozen=True, slots=True)
class Content:
    """What a document says."""

    title: str | None = None
    author: str | None = None
    published_at: str | None = None  # ISO 8601: a date, or an instant
    language: str | None = None
    text: str = ""
    images: Sequence[str] = ()
    links: Sequence[str] = ()
    word_count: int = 0
    quality: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Article:
    """What was last read at an address, and when it was still so."""

    id: UUID
    url: str
    content_hash: bytes
    fetched_at: datetime
    content: Content


def article_id(url: str) -> UUID:
    """The id of the article at an address in its one spelling."""
    return id_from_key("article", url)


def content_hash(url: str, content: Content) -> bytes:
    """What tells one content from another; `content` is storable."""
    said = f"{content.title or ''}\n{content.text}"
    if content.word_count < LEAST_WORDS:
        said = f"{url}\n{said}"
    return hashlib.sha256(said.encode()).digest()[:HASH_BYTES]


def storable(content: Content) -> Content:
    """The same, as Postgres can keep it."""
    return Content(
        title=_line(content.title),
        author=_line(content.author),
        published_at=_line(content.published_at),
        language=_line(content.language),
        text=_clean(content.text),
        images=tuple(map(_clean, content.images)),
        links=tuple(map(_clean, content.links)),
        word_count=content.word_count,
        quality=content.quality,
    )


def article_of(row: Row) -> Article:
    """The article of a row of `articles` joined with its text."""
    return Article(row["id"], row["url"], row["content_hash"], row["fetched_at"], content_of(row))


def content_of(row: Row) -> Content:
    """The content of a row of `article_texts`."""
    plain = {name: row[name] for name in ("title", "author", "published_at", "language", "text", "word_count")}
    images, links, quality = (msgspec.json.decode(row[name]) for name in ("images", "links", "quality"))
    return Content(**plain, images=tuple(images), links=tuple(links), quality=quality)


def _line(said: str | None) -> str | None:
    return _clean(said)[:MOST_TITLE] if said else None


def _clean(said: str) -> str:
    return said.replace("\x00", "\ufffd").encode(errors="replace").decode()
