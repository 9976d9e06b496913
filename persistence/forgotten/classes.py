"""Classes of time five per cent apart, by which it is remembered how long jobs ran: they can be added up."""

from __future__ import annotations

import math
from typing import Final

A_FACTOR_E: Final = 20  # classes in a time that is 2.7 times as long: five per cent each
SHORTEST: Final = 0.0005  # seconds; all that is shorter is of one class
NEVER_RAN: Final = -1_000  # the class of a job of which no attempt began


def class_of(seconds: str) -> str:
    """SQL for the class of so many seconds."""
    return f"ceil({A_FACTOR_E} * ln(greatest({seconds}, {SHORTEST})))::int"


def most_of(number: int) -> float:
    """The longest time of this class, in seconds."""
    return math.exp(number / A_FACTOR_E)
