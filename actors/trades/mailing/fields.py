"""The parts of a mail as fields of a payload: what a schema can judge is refused at the door, by its place.

A schema's pattern says less than mailboxes.py, which has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from actors.configured import configured
from actors.trades.inputs.spelling import ADDRESS, ARTIFACT, SAMPLES
from actors.trades.samples.found import KNOWN
from wire.mailboxes import MOST_CHARACTERS
from wire.slices.mailing import Mailing

Address = Annotated[
    str,
    Field(
        max_length=MOST_CHARACTERS,
        pattern=r"^[^@\r\n]+@[^@\r\n]+$",
        json_schema_extra={
            "x-problem": "is not an address of mail",
            "x-remedy": "write ada@example.org or Ada <ada@example.org>; several addresses go in a list",
        },
    ),
]


def _as_many_as_may(schema: dict[str, Any]) -> None:
    """Known when the type is registered; of all fields together a mail is judged when it is composed."""
    schema["maxItems"] = configured(Mailing).mail_max_recipients


Listed = Annotated[list[Address], Field(json_schema_extra=_as_many_as_may)]
Somebody = Address | Annotated[list[Address], Field(min_length=1, json_schema_extra=_as_many_as_may)]
Source = Annotated[
    str,
    Field(
        max_length=8_192,
        pattern=f"^({ARTIFACT}|{ADDRESS}|{SAMPLES})$",
        json_schema_extra={
            "x-problem": "is not an artifact's id, an http(s) URL or sample:<name>",
            "x-remedy": f"samples are {', '.join(KNOWN)}",
        },
    ),
]


class File(BaseModel):
    """An attachment that bears another name than its source does."""

    model_config = ConfigDict(extra="forbid")

    artifact: Source = Field(description="What it is: an artifact's id, an http(s) URL or sample:<name>")
    name: str | None = Field(
        None, min_length=1, max_length=200, pattern=r"^[^/\\\r\n]+$", description="What it is called in the mail"
    )


To = Annotated[Somebody, Field(description="Who gets it: `ada@example.org` or `Ada <ada@example.org>`, or a list")]
Subject = Annotated[str, Field(max_length=900, pattern=r"^[^\r\n]*$", description="One line")]
Text = Annotated[str, Field(max_length=200_000, description="The text")]
Html = Annotated[str | None, Field(max_length=200_000, description="The text once more, as HTML")]
Copies = Annotated[Address | Listed, Field(description="Who gets a copy")]
Hidden = Annotated[Address | Listed, Field(description="Who gets a copy that nobody is told of")]
Answers = Annotated[Address | None, Field(description="Who gets the answers, if not the sender")]
Files = Annotated[
    list[Source | File],
    Field(
        max_length=50,
        description="Files: an artifact's id, an http(s) URL or sample:<name>, or {artifact: one of these, name}",
    ),
]


def listed(addresses: str | Sequence[str]) -> list[str]:
    """One, or several."""
    return [addresses] if isinstance(addresses, str) else list(addresses)
