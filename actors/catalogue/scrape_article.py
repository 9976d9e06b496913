"""`scrape_article`: the article at an address, read once for everybody who asks within its time.

What stands at an address is kept with the address (persistence/articles/): fresh enough it is not fetched again, stale
it is asked for with the conditions its site gave (ETag, Last-Modified), and the same bytes are not read again.  Of
several jobs that want it at once one fetches, the others sleep until it has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from actors.context import context
from actors.ends import Snooze
from actors.job import job, missing
from actors.trades.outbound.document import Document
from actors.trades.politeness.visit import visit
from actors.trades.reading.addresses import Address
from actors.trades.reading.answers import readable
from actors.trades.reading.archive import archive
from actors.trades.reading.document import read_article
from persistence.articles import keep
from persistence.articles.article import DEFAULT_MAX_AGE, Article, Content, article_id
from persistence.articles.begin import LEASE_SECONDS, Busy, Fetch, Known, begin, hold
from persistence.store.database import Database
from wire.identity import HASH_BYTES

ACCEPT: Final = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"}
LOOK_SECONDS: Final = 2.0  # how soon to look again for what another job fetches
LOOKS: Final = 4  # within the time that the other one sleeps before it fetches
WAKES_WITHIN_SECONDS: Final = 30.0  # of its time: a job that sleeps for less begins anew before its lease is over
UNCHANGED: Final = 304


class WantedArticle(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://news.example.org/bridge", "source": "gazette"}]},
    )

    url: Address
    source: str | None = Field(None, max_length=200, description="Who published it; given back with the result")
    category: str | None = Field(None, max_length=200, description="Given back with the result")
    max_age: float = Field(
        DEFAULT_MAX_AGE.total_seconds(), ge=0, le=10 * 365 * 86_400,
        description="Seconds: what was read at most so long ago is taken as it is; 0: always ask the site",
    )  # fmt: skip
    content: bool = Field(True, description="Whether the result holds the text, beside what is said about it")
    archive: bool = Field(False, description="Keep the raw document as an artifact of the job")


class ScrapedArticle(BaseModel):
    article_id: UUID = Field(description="Belongs to the address")
    url: str = Field(description="In its one spelling")
    source: str | None = Field(description="As it was asked for")
    category: str | None = Field(description="As it was asked for")
    title: str | None = Field(description="Its headline")
    author: str | None = Field(description="Who wrote it, where the page says so")
    published_at: str | None = Field(description="ISO 8601; with a time where the page says one")
    language: str | None = Field(description="ISO 639-1")
    word_count: int = Field(description="Of the main text")
    quality: dict[str, Any] = Field(description="How good it is: `doubts` is empty where it seems sound")
    cached: bool = Field(description="It was read before, and the site was not asked")
    scraped_at: datetime | None = Field(description="When the site was last asked for it")
    content: str | None = Field(None, exclude_if=missing, description="The main text, a line for each paragraph")
    images: list[str] | None = Field(None, exclude_if=missing, description="Addresses of those that belong to it")
    links: list[str] | None = Field(None, exclude_if=missing, description="Addresses that the page links to")


@job("scrape_article", max_retries=2, timeout=120)
async def scrape_article(payload: WantedArticle) -> ScrapedArticle:
    """Read the article at an address: title, author, date, language, main text, images, links."""
    here = context()
    if here.inner_door.gate is None:  # run_inline: no servers, so nobody to share with
        document = readable(await visit(payload.url, headers=ACCEPT))
        return _result(payload, await _content(document), None, cached=False)
    database = here.inner_door.database
    max_age = timedelta(seconds=payload.max_age)
    found = await begin(database, payload.url, here.job_id, max_age=max_age, lease_seconds=LEASE_SECONDS)
    match found:
        case Known(article):
            return _result(payload, article.content, article, cached=True)
        case Busy():
            raise Snooze(_look_again(found), "another job is reading this address")
        case Fetch():
            article = await _fetched(database, payload, found, here.job_id)
            return _result(payload, article.content, article, cached=False)


async def _fetched(database: Database, payload: WantedArticle, known: Fetch, job_id: UUID) -> Article:
    """Read it, and end what was begun; a job that sleeps until its host's turn keeps its right to it."""
    try:
        return await _read(database, payload, known, job_id)
    except Snooze as e:
        if e.after.total_seconds() > LEASE_SECONDS - WAKES_WITHIN_SECONDS:
            await hold(database, payload.url, job_id, e.after, lease_seconds=LEASE_SECONDS)
        raise
    except BaseException:
        await keep.let_go(database, payload.url, job_id)
        raise


def _look_again(busy: Busy) -> timedelta:
    """Soon where it is being fetched; not only when the other one said it would wake up: it may be called before."""
    soon = min(busy.wait, timedelta(seconds=LOOK_SECONDS))
    return max(soon, busy.sleeps / LOOKS)


async def _read(database: Database, payload: WantedArticle, known: Fetch, job_id: UUID) -> Article:
    document = await visit(payload.url, headers={**ACCEPT, **_conditions(known)})
    digest = sha256(document.body).digest()[:HASH_BYTES]
    if document.status == UNCHANGED or (document.status == 200 and digest == known.body_hash):
        same = await keep.unchanged(database, payload.url, job_id, **_validators(document))
        if same is not None:
            return same
        if document.status == UNCHANGED:  # what it was has gone meanwhile
            document = await visit(payload.url, headers=ACCEPT)
            digest = sha256(document.body).digest()[:HASH_BYTES]
    content = await _content(readable(document))
    if payload.archive:
        await archive(document, "document")
    return await keep.keep(database, payload.url, job_id, content, body_hash=digest, **_validators(document))


async def _content(document: Document) -> Content:
    said = await read_article(document)
    return Content(**{field: said[field] for field in Content.__dataclass_fields__})


def _conditions(known: Fetch) -> dict[str, str]:
    said = {"if-none-match": known.etag, "if-modified-since": known.last_modified}
    return {name: value for name, value in said.items() if value}


def _validators(document: Document) -> dict[str, str | None]:
    return {"etag": document.headers.get("etag"), "last_modified": document.headers.get("last-modified")}


def _result(payload: WantedArticle, content: Content, article: Article | None, *, cached: bool) -> ScrapedArticle:
    told = ScrapedArticle(
        article_id=article_id(payload.url),
        url=payload.url,
        source=payload.source,
        category=payload.category,
        title=content.title,
        author=content.author,
        published_at=content.published_at,
        language=content.language,
        word_count=content.word_count,
        quality=dict(content.quality),
        cached=cached,
        scraped_at=article.fetched_at if article else None,
    )
    if payload.content:
        told.content, told.images, told.links = content.text, list(content.images), list(content.links)
    return told
