"""`python -m actors.trades.reading.reader`: reads one document after another for the worker that started it.

It has nothing to lose: no connection, no password in its environment, no job.  A document that takes too long ends it
by the kernel's timer, counted in processor time, so that neither a busy machine shortens it nor a dead worker leaves it
at work; one that takes too much memory is told so.  It ends when the worker does, however that ends.
"""

from __future__ import annotations

import resource
import signal
import socket
import sys
from dataclasses import fields
from typing import Any, Final

import msgspec

from actors.isolation.bounds import end_with, no_core
from actors.isolation.frames import framed, received
from actors.trades.reading.article import Article, read_article
from actors.trades.reading.asking import Answer, Question
from actors.trades.reading.encodings import decode
from actors.trades.reading.extractors import overrides
from actors.trades.reading.links import links, own_address
from actors.trades.reading.markup import Markup, is_html, parse
from actors.trades.reading.preview import Preview, preview
from actors.trades.reading.selectors import Want, Wanted, select
from actors.trades.reading.sitemap import Sitemap, read_sitemap
from actors.trades.reading.unreadable import Unreadable

MOST_MEMORY: Final = 2 * 1024**3  # of addresses


def main() -> int:
    """Until the worker hangs up."""
    descriptor, parent, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    _bounded(parent)
    with socket.socket(fileno=descriptor) as worker:
        while body := received(worker):
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answer = framed(_answered(msgspec.msgpack.decode(body, type=Question)))
            signal.setitimer(signal.ITIMER_PROF, 0)
            worker.sendall(answer)
    return 0


def answered(question: Question) -> dict[str, Any]:
    """What the document says; Unreadable if it says nothing of the kind."""
    if question.what == "sitemap":
        return _fields(read_sitemap(question.body, question.url))
    if not is_html(question.content_type, question.body):
        said = (question.content_type or "something unnamed").partition(";")[0].strip()
        raise Unreadable(f"the document is {said[:100]}, not HTML: there is no text to extract")
    markup = parse(decode(question.body, question.content_type), question.url)
    if question.what == "article":
        return _fields(read_article(markup, overrides(question.extractor) if question.extractor else None))
    if question.what == "select":
        return select(markup, {name: _wanted(asked) for name, asked in question.wants.items()})
    return _survey(markup)


def _fields(found: Article | Preview | Sitemap) -> dict[str, Any]:
    """As they are: `asdict` copies each of a thousand links."""
    return {field.name: getattr(found, field.name) for field in fields(found)}


def _wanted(asked: Any) -> Wanted:
    return asked if isinstance(asked, str) else Want.model_validate(asked)


def _survey(markup: Markup) -> dict[str, Any]:
    """What a crawler has to know."""
    return {**_fields(preview(markup)), "links": links(markup, follow=True), "own_address": own_address(markup)}


def _answered(question: Question) -> Answer:
    try:
        return Answer(answered(question))
    except Unreadable as e:
        return Answer(unreadable=str(e))
    except MemoryError:
        return Answer(unreadable="the document needs more memory to be read than a document may have")
    except Exception as e:  # noqa: BLE001 - a parser's surprise; the job fails with it, and the next is read
        return Answer(unreadable=f"the document cannot be read: {type(e).__name__}: {e}"[:500])


def _bounded(parent: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a worker that drains still has documents to read
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    no_core()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    end_with(parent)


if __name__ == "__main__":
    sys.exit(main())
