"""One measured figure and the bar that it is held against.

A bar is told, never enforced here: on a machine that does something else a figure says as much of that as of us.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`at_least` or `at_most` is the bar; a figure without either is told for its own sake."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    beside: str = ""  # what a reader must know of it, in a few words

    @property
    def met(self) -> bool | None:
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def bar(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}"
        return "" if self.at_most is None else f"≤ {self.at_most:,g}"


def tell(figures: Iterable[Figure], say: Callable[[str], None] = print) -> None:
    """A line each."""
    for figure in figures:
        verdict = {None: "", True: "  met", False: "  MISSED"}[figure.met]
        words = f"{figure.name:<44} {figure.value:>12,.4g} {figure.unit:<8} {figure.bar:<10}{verdict}"
        say(words.rstrip() + (f"  ({figure.beside})" if figure.beside else ""))
