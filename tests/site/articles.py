"""What an article says, known before anybody reads it: the truth that an extraction is measured by.

Its number is all there is to know: language, layout, author, date and every sentence follow from it, in any process.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from tests.site.words import AUTHORS, LANGUAGES, Language

LISTED: Final = 400  # so many are linked and in the sitemap; any other number is served as well
FIRST_DAY: Final = date(2024, 1, 1)
LAYOUTS: Final = ("plain", "jsonld", "microdata", "bare", "tables", "noisy", "listed", "short", "broken", "social")


@dataclass(frozen=True, slots=True)
class Article:
    """The truth about one article; an edition is what an editor changed since."""

    number: int
    edition: int
    layout: str
    language: Language
    title: str
    author: str | None  # None: the document does not say
    published: date | None
    paragraphs: tuple[str, ...]
    images: tuple[str, ...]
    links: tuple[str, ...]  # inside the text

    @property
    def path(self) -> str:
        return f"/articles/{self.number}"

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)


@lru_cache(maxsize=4_096)
def article(number: int, edition: int = 0) -> Article:
    """The article of this number."""
    dice = random.Random(number)
    layout = LAYOUTS[number % len(LAYOUTS)]
    language = LANGUAGES[number // len(LAYOUTS) % len(LANGUAGES)]
    title = language.title(dice)
    author = dice.choice(AUTHORS)
    published = FIRST_DAY + timedelta(days=dice.randrange(900))
    paragraphs = [language.paragraph(dice, dice.randint(3, 6)) for _ in range(_length(layout, dice))]
    paragraphs += [random.Random(f"{number}.{edition}").choice(language.aside)] * bool(edition)
    links = tuple(f"/articles/{dice.randrange(LISTED)}" for _ in range(3))
    said = layout != "short"  # the shortest say neither who wrote them nor when
    return Article(
        number, edition, layout, language, title, author if said else None, published if said else None,
        tuple(paragraphs), (f"/images/{number}.png",), tuple(dict.fromkeys(links)),
    )  # fmt: skip


def listed() -> list[Article]:
    return [article(number) for number in range(LISTED)]


def _length(layout: str, dice: random.Random) -> int:
    return 2 if layout == "short" else dice.randint(6, 14)
