"""Editions of the time zones are ordered as IANA brings them out."""

from __future__ import annotations

import re

import pytest

from wire.times.edition import EDITION, is_newer


def test_this_process_knows_its_edition() -> None:
    assert re.fullmatch(r"20[0-9]{2}[a-z]+", EDITION)


@pytest.mark.parametrize(
    ("edition", "than", "newer"),
    [
        ("2026f", "2026b", True),
        ("2026b", "2026f", False),
        ("2026f", "2026f", False),
        ("2027a", "2026f", True),
        ("2026f", "2027a", False),
        ("2026za", "2026z", True),
        ("2026z", "2026za", False),
        ("2026f", None, True),
    ],
)
def test_only_the_later_one_is_newer(edition: str, than: str | None, newer: bool) -> None:
    assert newer == is_newer(edition, than)
