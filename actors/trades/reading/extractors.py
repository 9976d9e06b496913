"""What a user knows better about one host.

    from warren import extractor

    @extractor("news.example.org")
    def read(markup):
        return {"title": markup.selector.css("h1.real::text").get(), "author": "The desk"}

Called with the parsed document, in the process that reads it; what it returns replaces what was found in general, and
what it leaves out is found as ever.  `*.example.org` means every host below; the longest name that fits is asked.

Refuses a function that another process cannot import: one inside of a function, or in a script that is run.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from actors.trades.reading.markup import Markup
from actors.trades.reading.unreadable import Unreadable
from wire.errors import Refused
from wire.web_host import host as canonical_host

Overrides = Callable[[Markup], Mapping[str, Any]]
Function = TypeVar("Function", bound=Callable[[Markup], Mapping[str, Any] | None])
FIELDS: Final = {
    "title": str, "author": str, "published_at": str, "language": str, "text": str, "images": list, "links": list
}  # fmt: skip
_known: dict[str, str] = {}


def extractor(host: str) -> Callable[[Function], Function]:
    """Register a function for the documents of this host."""
    wide, name = (True, host[2:]) if host.startswith("*.") else (False, host)
    try:
        spelled = canonical_host(name)
    except Refused as e:
        raise ValueError(f"@extractor({host!r}): a host such as news.example.org or *.example.org; {e}") from None

    def register(function: Function) -> Function:
        place = f"{function.__module__}:{function.__qualname__}"
        if function.__module__ == "__main__" or "<locals>" in function.__qualname__:
            raise ValueError(f"@extractor({host!r}): {place} cannot be imported elsewhere; define it in a module")
        _known[f"*.{spelled}" if wide else spelled] = place
        return function

    return register


def registered(url: str) -> str | None:
    """The place (`module:name`) of the function that reads this address, if a user has registered one."""
    if not _known:
        return None
    name = urlsplit(url).hostname or ""
    labels = name.split(".")
    wider = (f"*.{'.'.join(labels[start:])}" for start in range(1, len(labels)))
    return next((_known[one] for one in (name, *wider) if one in _known), None)


def overrides(place: str) -> Overrides:
    """The function at that place, and its answer checked."""

    def ask(markup: Markup) -> Mapping[str, Any]:
        try:
            said = _found(place)(markup)
        except Exception as e:  # a user's function: its error is the job's, told with its name
            raise Unreadable(f"the extractor {place} failed: {type(e).__name__}: {e}") from e
        return {} if said is None else _checked(place, said)

    return ask


def _found(place: str) -> Callable[[Markup], Any]:
    module, _, name = place.partition(":")
    found: Any = importlib.import_module(module)
    for step in name.split("."):
        found = getattr(found, step)
    assert callable(found)
    return found  # type: ignore[no-any-return] # asked from a user's module by its name


def _checked(place: str, said: Any) -> Mapping[str, Any]:
    if not isinstance(said, Mapping) or (unknown := set(said) - set(FIELDS)):
        what = f"unknown: {', '.join(sorted(map(str, unknown)))}" if isinstance(said, Mapping) else f"got {said!r:.80}"
        raise Unreadable(f"the extractor {place} returns some of {', '.join(FIELDS)}; {what}")
    for field, kind in FIELDS.items():
        if said.get(field) is not None and not isinstance(said[field], kind):
            raise Unreadable(
                f"the extractor {place} returns {field} as {type(said[field]).__name__}, not {kind.__name__}"
            )
    return {field: value for field, value in said.items() if value is not None}
