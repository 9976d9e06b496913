"""The routes of crawls, described, and what they take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.answers.crawls import CRAWLS
from gateway.crawls.request import LONGEST_AGE, MOST_LABEL, MOST_WRITTEN
from gateway.openapi.operation import CURSOR, LIMIT, UUID, Json, Operation, parameter
from gateway.openapi.submission import FIELDS
from gateway.rest.crawls import FORMATS
from persistence.articles.article import DEFAULT_MAX_AGE

_LABEL: Final = {"type": "string", "maxLength": MOST_LABEL}
_ARTICLE: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["url"],
    "additionalProperties": False,
    "properties": {
        "url": {
            "type": "string", "format": "uri", "maxLength": MOST_WRITTEN, "pattern": "^[hH][tT][tT][pP][sS]?://",
            "description": "Of a web page: https or http, without a password",
        },
        "source": {**_LABEL, "description": "Whose it is; comes back with the result"},
        "category": {**_LABEL, "description": "Comes back with the result"},
        "priority": FIELDS["priority"],
    },
}  # fmt: skip
CRAWL: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "Articles to read. All of it is taken, or nothing.",
    "required": ["articles"],
    "additionalProperties": False,
    "properties": {
        "articles": {"type": "array", "items": _ARTICLE, "minItems": 1, "description": "At most 10,000"},
        "max_age": {
            "type": "number", "minimum": 0, "maximum": LONGEST_AGE.total_seconds(),
            "default": DEFAULT_MAX_AGE.total_seconds(),
            "description": "Seconds: what was read later than so long ago is not read again; 0 reads everything anew",
        },
        "id": {**UUID, "description": "Your id for the crawl"},
    },
}  # fmt: skip
CRAWLS_SHOWN: Final[Mapping[str, Any]] = {
    "articles": {
        "value": {
            "articles": [
                {"url": "https://example.org/a", "source": "example", "category": "tech", "priority": 5},
                {"url": "https://example.org/b", "source": "example", "category": "news", "priority": "high"},
            ],
            "max_age": 3600,
        }
    }
}

_ONE: Final = CRAWLS + "/{id}"
_CRAWL_ID: Final = parameter("path", "id", UUID, "The crawl's id")
_FORMAT: Final = parameter(
    "query", "format", {"type": "string", "enum": list(FORMATS), "default": "json"},
    "`json`: a page; `ndjson` and `csv`: all that has been read, a line an article, written as it is read",
)  # fmt: skip
_MAKE_DETAIL: Final = """\
All of it is taken, or nothing: an address that is none refuses the crawl, by its place, as in `articles[3].url`. An
address has one spelling (case, default ports, fragments, tracking parameters): what was read there within `max_age` is
answered at once, and of the rest each is read by one job, however often it was asked for. Hosts take turns. The crawl
is a batch: `/batches/{id}` and `/jobs?batch_id=…` know it by the same id."""
_STATUS_DETAIL: Final = """\
`COMPLETED` once nothing is pending, even if some have failed; `FAILED` only if all have."""
_RESULTS_DETAIL: Final = """\
In the order in which they were asked for; articles that are still pending are left out, so a page that was read while
the crawl goes on may have more articles later. A page ends at 8 MiB of text, too."""
_DELETE_DETAIL: Final = """\
What waits is cancelled, what runs is asked to end, and the crawl is gone. What was read stays known for other crawls.
"""
_OURS: Final[dict[str, Any]] = {"tag": "crawls"}
_READ: Final = ("malformed", "not_found", "unavailable")


def crawl_operations(key: Json, traceparent: Json) -> tuple[Operation, ...]:
    """The operations, with the headers that submissions share."""
    return (
        Operation("makeCrawl", CRAWLS, "Read articles", "CrawlReceipt", method="post", status=201,
                  also=((200, "CrawlReceipt"),), takes="crawl", detail=_MAKE_DETAIL, parameters=(key, traceparent),
                  problems=("malformed", "unknown_type", "id_reused", "foreign_origin", "unavailable", "too_large",
                            "unsupported_media", "slow_body"), **_OURS),
        Operation("getCrawlStatus", _ONE + "/status", "How far a crawl is", "CrawlStatus", parameters=(_CRAWL_ID,),
                  detail=_STATUS_DETAIL, problems=_READ, **_OURS),
        Operation("getCrawlResults", _ONE + "/results", "What a crawl has read",
                  "CrawlResults|application/x-ndjson|text/csv", parameters=(_CRAWL_ID, _FORMAT, LIMIT, CURSOR),
                  detail=_RESULTS_DETAIL, problems=_READ, **_OURS),
        Operation("deleteCrawl", _ONE, "Delete a crawl", "", method="delete", status=204, parameters=(_CRAWL_ID,),
                  detail=_DELETE_DETAIL, problems=(*_READ, "foreign_origin"), **_OURS),
    )  # fmt: skip
