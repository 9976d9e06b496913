"""How well an extraction met the truth: word by word for the text, exactly for what has one right answer.

Words are compared as bags, as the public extraction benchmarks do; where a language writes no spaces, its characters
are the words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

_WORDS = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[぀-ヿ一-鿿]")


@dataclass(frozen=True, slots=True)
class Overlap:
    precision: float  # of what was extracted, how much belongs to the article
    recall: float  # of what belongs to it, how much was extracted

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def overlap(truth: str, found: str | None) -> Overlap:
    """Of the words of a text that was found with those of the true one."""
    true, said = _bag(truth), _bag(found or "")
    common = (true & said).total()
    return Overlap(common / said.total() if said else 0.0, common / true.total() if true else 1.0)


def same(truth: str | None, found: str | None) -> bool:
    """Whether they say the same, whatever the case, the spaces and the dashes."""
    return _plain(truth) == _plain(found)


def _plain(text: str | None) -> str:
    return "".join(_WORDS.findall(unicodedata.normalize("NFKC", text or "").casefold()))


def _bag(text: str) -> Counter[str]:
    spaced = _UNSPACED.sub(lambda found: f" {found.group()} ", unicodedata.normalize("NFKC", text).casefold())
    return Counter(_WORDS.findall(spaced))
