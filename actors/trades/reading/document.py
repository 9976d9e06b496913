"""What the author of a job asks of a document that it has fetched.

    document = await visit("https://news.example.org/bridge")
    article = await read_article(document)          # {"title": …, "author": …, "text": …}
    found = await select(document, {"price": "//b[@class='price']", "names": {"select": "li.boat a", "many": True}})
    title, preview = await title_and_preview(document)

Each is answered by the process that reads, so a bad page costs its deadline and no more; PermanentError says what was
wrong with it.  A sync job asks by `asyncio.run`.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from actors.trades.outbound.document import Document
from actors.trades.outbound.failures import TooLarge
from actors.trades.reading import readers
from actors.trades.reading.asking import Question, What
from actors.trades.reading.extractors import registered
from actors.trades.reading.selectors import Wanted, said
from wire.web_address import canonical

_WANTS: TypeAdapter[dict[str, Wanted]] = TypeAdapter(dict[str, Wanted])


class TitleAndPreview(NamedTuple):
    title: str | None
    preview: str


async def read_article(document: Document) -> dict[str, Any]:
    """Its article: title, author, published_at, language, text, images, links, word_count, quality and some more."""
    return await readers.read(_question("article", document, extractor=registered(document.final_url)))


async def select(document: Document, wants: Mapping[str, Any]) -> dict[str, Any]:
    """What these selectors find; ValueError for one that cannot be understood."""
    try:
        asked = {name: said(want) for name, want in _WANTS.validate_python(dict(wants)).items()}
    except ValidationError as e:
        first = e.errors(include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'][:1]))}: {first['msg']}") from None
    return await readers.read(_question("select", document, wants=asked))


async def title_and_preview(document: Document) -> TitleAndPreview:
    """Its title, and a few words of it."""
    found = await readers.read(_question("survey", document))
    return TitleAndPreview(found["title"], found["preview"])


def canonical_url(url: str) -> str:
    """An address in its one spelling: the same for whatever leads to the same document; Refused for what is none."""
    return canonical(url)


async def read_capped(chunks: AsyncIterable[bytes], most_bytes: int) -> bytes:
    """All of a stream (`response.aiter_bytes()`), or TooLarge before more than that is in memory."""
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > most_bytes:
            raise TooLarge(f"the answer is longer than {most_bytes} bytes")
        body += chunk
    return bytes(body)


def _question(what: What, document: Document, **said: Any) -> Question:
    return Question(what, document.final_url, document.headers.get("content-type"), document.body, **said)
