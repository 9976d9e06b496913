"""A JSON Schema in words: what a field takes, for people who read a table.

Knows what Pydantic writes for the models of job types; what it does not know it leaves out rather than to guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
ONE: Final = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "null": "null",
    "array": "a list", "object": "an object",
}  # fmt: skip
MANY: Final = ONE | {
    "string": "texts", "integer": "whole numbers", "number": "numbers", "array": "lists", "object": "objects",
}  # fmt: skip
FORMATS: Final = {
    "uuid": "a UUID", "date-time": "an instant in ISO 8601", "date": "a date", "uri": "an address",
    "email": "an address of mail", "path": "a path",
}  # fmt: skip
ANYTHING: Final = "anything"


class SchemaWords:
    """Of one model, whose schema holds those that it refers to."""

    def __init__(self, schema: Schema) -> None:
        self._inner: Schema = schema.get("$defs", {})

    def models(self) -> Iterator[tuple[str, Schema]]:
        """The models in it that have fields, by name."""
        return ((name, inner) for name, inner in self._inner.items() if inner.get("properties"))

    def takes(self, said: Schema, *, many: bool = False) -> str:
        """What a field takes; of many, only what they are."""
        if "$ref" in said:
            return self._named(said["$ref"].rpartition("/")[2], many=many)
        if "const" in said or "enum" in said:
            return ", ".join(map(code, said.get("enum") or [said["const"]]))
        if choices := said.get("anyOf") or said.get("oneOf") or ("type" not in said and said.get("allOf")):
            return self._choice(said, choices, many=many)
        kind = self._kind(said, many=many)
        return kind if many else ", ".join([kind, *_limits(said)])

    def _named(self, name: str, *, many: bool) -> str:
        inner = self._inner.get(name, {})
        return f"`{name}`" if inner.get("properties") else self.takes(inner, many=many)

    def _choice(self, said: Schema, choices: list[Schema], *, many: bool) -> str:
        """`null` is left out where leaving out the field says the same."""
        silent = said.get("default", ...) is None
        kinds = dict.fromkeys(
            self.takes(choice, many=many) for choice in choices if not (silent and choice.get("type") == "null")
        )
        if {"a whole number", "a number"} <= kinds.keys():
            del kinds["a whole number"]
        return " or ".join(kinds)

    def _kind(self, said: Schema, *, many: bool) -> str:
        kind, words = str(said.get("type")), MANY if many else ONE
        if kind == "string" and said.get("format") in FORMATS:
            return FORMATS[said["format"]]
        of = said.get("items") if kind == "array" else said.get("additionalProperties") if kind == "object" else None
        inner = self.takes(of, many=True) if isinstance(of, dict) and of else ANYTHING
        return words.get(kind, ANYTHING) + ("" if inner == ANYTHING else f" of {inner}")


def default(said: Schema) -> str:
    """What stands for a field that is left out."""
    value = said.get("default")
    return "–" if value is None or value in ({}, []) else code(value)


def cell(text: str) -> str:
    """As a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(value: object) -> str:
    """A value as it is written."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return cell(f"`{text}`")


def _limits(said: Schema) -> Iterator[str]:
    least, most = said.get("minimum"), said.get("maximum")
    if least is not None and most is not None:
        yield f"{_figure(least)} to {_figure(most)}"
    else:
        yield from (f"at least {_figure(bound)}" for bound in (least,) if bound is not None)
        yield from (f"above {_figure(said[name])}" for name in ("exclusiveMinimum",) if name in said)
        yield from (f"at most {_figure(bound)}" for bound in (most,) if bound is not None)
    yield from (f"below {_figure(said[name])}" for name in ("exclusiveMaximum",) if name in said)
    yield from (f"at most {_figure(said[name])}" for name in ("maxItems", "maxProperties") if name in said)
    yield from (f"at most {_figure(said[name])} characters" for name in ("maxLength",) if name in said)
    yield from (f"like {code(said[name])}" for name in ("pattern",) if name in said)


def _figure(number: float) -> str:
    return f"{number:,.10g}"
