"""One route as data: what it takes, what it answers, how it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.entrance.query import MAX_TEXT, MOST_ITEMS

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    name: str
    path: str
    summary: str
    answer: str  # the struct of its success, a media type, several with | between them, or nothing
    method: str = "get"
    status: int = 200
    also: tuple[tuple[int, str], ...] = ()  # other successes: status and answer
    tag: str = "jobs"
    parameters: tuple[Json, ...] = ()
    problems: tuple[str, ...] = ()
    takes: str = ""  # the request's body, by its name in openapi.BODIES
    open: bool = False  # needs no API key
    detail: str = ""
    examples: Json | None = None  # of its first answer, by name

    @property
    def answers(self) -> tuple[tuple[int, str], ...]:
        return ((self.status, self.answer), *self.also)


def parameter(where: str, name: str, schema: Json, description: str) -> Json:
    required = {"required": True} if where == "path" else {}
    return {"name": name, "in": where, "schema": schema, "description": description, **required}


UUID: Final = {"type": "string", "format": "uuid"}
TEXT: Final = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
INSTANT: Final = {"type": "string", "format": "date-time"}
LIMIT: Final = parameter(
    "query", "limit", {"type": "integer", "minimum": 1, "maximum": MOST_ITEMS}, "Items on the page"
)
CURSOR: Final = parameter("query", "cursor", {"type": "string", "minLength": 1}, "`next_cursor` of the page before")
