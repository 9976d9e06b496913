"""What CSS selectors and XPath expressions find in a document.

An expression that begins like a path (`/`, `./`, `(`, `@`, an axis, a function) is XPath, everything else CSS, with
parsel's `::text` and `::attr(name)`.  An expression that cannot be understood is refused with its place, before
anything is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from lxml.etree import XPath, XPathError
from parsel import Selector, SelectorList, css2xpath
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from actors.trades.reading.markup import Markup
from actors.trades.reading.unreadable import Unreadable

MOST_VALUES: Final = 1_000
MOST_CHARACTERS: Final = 20_000  # of a value
_PATH: Final = re.compile(r"[/(@.]*(?:/|@)|\.\.|\(|[a-z-]+::(?!text|attr)|[a-z-]+\(").match


def _is_understood(expression: str) -> str:
    try:
        XPath(expression if is_xpath(expression) else css2xpath(expression))
    except Exception as e:  # noqa: BLE001 - cssselect and lxml have no error in common; it becomes the door's sentence
        kind = "an XPath expression" if is_xpath(expression) else "a CSS selector"
        raise ValueError(f"{expression!r} is not {kind}: {e}") from None
    return expression


Expression = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_is_understood)]


class Want(BaseModel):
    """What to take of what a selector finds."""

    model_config = ConfigDict(extra="forbid")

    select: Expression = Field(description="A CSS selector, or an XPath expression that begins with / or ./")
    take: Literal["text", "html", "attribute"] = Field("text", description="The text of an element, its HTML, …")
    attribute: str | None = Field(None, max_length=100, description="… or this attribute of it")
    many: bool = Field(False, description="All that is found, as a list; else the first")
    fields: dict[str, Expression | Want] = Field(
        {}, max_length=50, description="Of each element found, these: an object"
    )


Wanted = Expression | Want


def want(asked: str | Want) -> Want:
    """A selector alone asks for the text of the first that it finds."""
    return asked if isinstance(asked, Want) else Want(select=asked)


def said(asked: str | Want) -> Any:
    """The same, as another process is told."""
    return asked.model_dump() if isinstance(asked, Want) else asked


def is_xpath(expression: str) -> bool:
    return _PATH(expression.lstrip()) is not None


def select(markup: Markup, wanted: Mapping[str, Wanted]) -> dict[str, Any]:
    """Each name with what was found for it: a value, a list, or None."""
    return {name: _taken(markup, markup.selector, want(asked), name) for name, asked in wanted.items()}


def _taken(markup: Markup, within: Selector, asked: Want, name: str) -> Any:
    try:
        found: SelectorList[Selector] = (within.xpath if is_xpath(asked.select) else within.css)(asked.select)
    except (ValueError, XPathError) as e:
        raise Unreadable(f"payload.{name}: {asked.select!r} cannot be asked here: {e}") from None
    values = (_value(markup, one, asked, name) for one in found[: MOST_VALUES if asked.many else 1])
    kept = [value for value in values if value is not None]
    return kept if asked.many else next(iter(kept), None)


def _value(markup: Markup, one: Selector, asked: Want, name: str) -> Any:
    if asked.fields:
        return {inner: _taken(markup, one, want(each), f"{name}.{inner}") for inner, each in asked.fields.items()}
    if asked.attribute is not None or asked.take == "attribute":
        return _attribute(markup, one, asked.attribute or "href")
    if isinstance(one.root, str | float | bool):
        return one.root.strip()[:MOST_CHARACTERS] if isinstance(one.root, str) else one.root
    if asked.take == "html":
        return str(one.get())[:MOST_CHARACTERS]
    return " ".join("".join(one.root.itertext()).split())[:MOST_CHARACTERS]


def _attribute(markup: Markup, one: Selector, name: str) -> str | None:
    """Addresses as they are meant, the rest as it stands."""
    said = one.attrib.get(name)
    if said is not None and name in ("href", "src", "action", "cite"):
        return markup.absolute(said) or said
    return said
