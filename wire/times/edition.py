"""Which edition of the world's time zones this process computes with, and which of two is the later one.

Governments move their clocks a few times a year, mostly at short notice, and each time IANA brings out an edition:
2026a, 2026b, ...  So due times that were computed by an earlier one may be wrong by now.
"""

from __future__ import annotations

from typing import Final

import tzdata

EDITION: Final[str] = tzdata.IANA_VERSION


def is_newer(edition: str, than: str | None) -> bool:
    """Whether it came out after the other; anything did after one that nobody knows.

    They compare as texts, as their authors mean it: after 2026z comes 2026za.
    """
    return than is None or edition > than
