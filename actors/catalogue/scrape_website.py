"""`scrape_website`: what CSS selectors and XPath expressions find on one page."""

from __future__ import annotations

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from actors.job import job, missing
from actors.trades.politeness.visit import visit
from actors.trades.reading import readers
from actors.trades.reading.addresses import Address
from actors.trades.reading.answers import readable
from actors.trades.reading.asking import Question
from actors.trades.reading.selectors import Wanted, said

ONE: Final = "value"  # the name under which a single selector's find is kept

EXAMPLES: Final[list[JsonValue]] = [
    {"url": "https://example.com", "selector": "title", "timeout": 10},
    {
        "url": "https://boats.example.org/",
        "selectors": {"boats": {"select": "li.boat", "many": True, "fields": {"name": "a", "page": "./a/@href"}}},
    },
]


class Website(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": EXAMPLES})

    url: Address
    selector: Wanted | None = Field(
        None, description="What to find: a CSS selector, an XPath expression, or an object that says more"
    )
    selectors: dict[str, Wanted] = Field(
        {}, max_length=100, description="Several at once, each with the name that its find is to have"
    )
    timeout: float | None = Field(None, gt=0, le=300, description="Seconds that the site may take to answer")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.selector is None and not self.selectors:
            raise ValueError("say what to find: selector for one thing, selectors for several by name")
        return self


class Found(BaseModel):
    url: str = Field(description="As it was asked for, in its one spelling")
    final_url: str = Field(description="Where the page was in the end, after redirects")
    status: int = Field(description="Of the answer")
    value: JsonValue = Field(None, description="What `selector` found; null: nothing")
    values: dict[str, JsonValue] | None = Field(
        None, exclude_if=missing, description="What each of `selectors` found, under its name"
    )


@job("scrape_website", timeout=330)
async def scrape_website(payload: Website) -> Found:
    """Fetch a page, politely, and take from it what these selectors find."""
    document = readable(await visit(payload.url, seconds=payload.timeout))
    one = {} if payload.selector is None else {ONE: payload.selector}
    wants = {name: said(asked) for name, asked in (one | payload.selectors).items()}
    content_type = document.headers.get("content-type")
    found = await readers.read(Question("select", document.final_url, content_type, document.body, wants=wants))
    values = {name: found[name] for name in payload.selectors} or None
    told = Found(url=payload.url, final_url=document.final_url, status=document.status, values=values)
    return told if payload.selector is None else told.model_copy(update={ONE: found[ONE]})
