"""The driver's way to read an id takes what the standard library takes, and means the same by it."""

from __future__ import annotations

from uuid import UUID

import pytest

from persistence.store.ids import read_id

ID = "9d1f7c47-24a4-4fa2-be74-25e271837114"


@pytest.mark.parametrize("text", [ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}"])
def test_every_spelling_is_the_same_id(text: str) -> None:
    found = read_id(text)

    assert (UUID(ID), hash(UUID(ID)), ID) == (found, hash(found), str(found))
    assert {UUID(ID): 1}[found] == {found: 1}[UUID(ID)]


@pytest.mark.parametrize("text", ["", "echo", ID[:-1], f"{ID}0", f"{ID[:-1]}g", "\x00" * 32, "é" * 32])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_id(text)
