"""What the tables of docs/job-types.md say of a field is what its schema says."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from actors.described.schema_words import SchemaWords, cell, default


class Inner(BaseModel):
    name: str


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (str, "text"), (bool, "true or false"), (int, "a whole number"), (int | float, "a number"), (UUID, "a UUID"),
        (datetime, "an instant in ISO 8601"), (Any, "anything"), (JsonValue, "anything"), (str | None, "text or null"),
        (Literal["a", "b|c"], "`a`, `b\\|c`"), (Literal["a"], "`a`"), (list[int], "a list of whole numbers"),
        (list[Any], "a list"), (dict[str, Any], "an object"), (dict[str, str | Inner], "an object of texts or `Inner`"),
        (Inner | list[Inner], "`Inner` or a list of `Inner`"),
        (Annotated[int, Field(ge=0, le=5_000)], "a whole number, 0 to 5,000"),
        (Annotated[float, Field(gt=0, le=1)], "a number, above 0, at most 1"),
        (Annotated[int, Field(ge=1)], "a whole number, at least 1"),
        (Annotated[float, Field(lt=1.5)], "a number, below 1.5"),
        (Annotated[str, Field(max_length=9, pattern="^/")], "text, at most 9 characters, like `^/`"),
        (Annotated[list[str], Field(max_length=3)], "a list of texts, at most 3"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_field_is_told_in_words(annotation: Any, words: str) -> None:
    schema = TypeAdapter(dict[str, tuple[annotation]]).json_schema()
    (field,) = schema["additionalProperties"]["prefixItems"]

    assert words == SchemaWords(schema).takes(field)


def test_null_is_not_told_where_leaving_the_field_out_says_it() -> None:
    said = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}

    assert ("text", "–") == (SchemaWords({}).takes(said), default(said))


@pytest.mark.parametrize(
    ("value", "told"), [(False, "`false`"), (0, "`0`"), (86_400.0, "`86400`"), ("", '`""`'), ([], "–"), ({}, "–")]
)
def test_a_default_is_told_as_it_is_written(value: object, told: str) -> None:
    assert told == default({"default": value})


def test_a_cell_stays_in_its_row() -> None:
    assert "a \\| b" == cell("a |\n  b")
