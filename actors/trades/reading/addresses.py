"""A web address in a payload: in its one spelling, or refused at the door with the words of wire/web_address.py."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from wire.errors import Refused
from wire.web_address import MOST_CHARACTERS, canonical


def _spelled(said: str) -> str:
    try:
        return canonical(said)
    except Refused as e:
        raise ValueError(f"{e.problem}; {e.remedy}") from None


Address = Annotated[
    str, Field(min_length=1, max_length=MOST_CHARACTERS, description="http:// or https://"), AfterValidator(_spelled)
]
