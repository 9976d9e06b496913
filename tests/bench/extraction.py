"""How well articles are extracted: `python -m tests.bench.extraction [--documents 400]`.

The site's own articles, whose truths are known: ten layouts in eight languages, light and heavy.  The text is compared
word by word; the rest is right or wrong, and a thing that a document does not say is right when nothing is found.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter, defaultdict
from typing import Any

from actors.trades.reading.asking import Question
from actors.trades.reading.reader import answered
from actors.trades.reading.unreadable import Unreadable
from tests.bench.figure import Figure, tell
from tests.site.articles import LISTED, Article, article
from tests.site.layouts import document, weighty
from tests.site.quality import overlap, same

BASE = "http://site.example"


def measure(documents: int = LISTED) -> list[Figure]:
    """Half of them light, half of them heavy."""
    right, f1s = Counter[str](), defaultdict[str, list[float]](list)
    for number in range(documents):
        one = article(number)
        body = (document if number // 80 % 2 else weighty)(one, BASE).encode()
        found = _read(number, body)
        right.update(name for name, is_right in _judged(one, found).items() if is_right)
        f1s[one.layout].append(overlap(one.text, found.get("text")).f1)
    means = {layout: statistics.mean(values) for layout, values in f1s.items()}
    every = [value for values in f1s.values() for value in values]
    worst = min(means, key=means.__getitem__)
    beside = f"{documents} documents; the worst of ten layouts is `{worst}` with {means[worst]:.3f}"
    return [
        Figure("text of an article, F1", statistics.mean(every), "", at_least=0.95, beside=beside),
        *(
            Figure(f"{name} is right", right[name] / documents * 100, "%")
            for name in ("title", "author", "date", "language")
        ),
    ]


def asked(number: int, body: bytes) -> Question:
    return Question("article", f"{BASE}/articles/{number}", "text/html; charset=utf-8", body)


def _read(number: int, body: bytes) -> dict[str, Any]:
    try:
        return answered(asked(number, body))
    except Unreadable:
        return {}


def _judged(one: Article, found: dict[str, Any]) -> dict[str, bool]:
    return {
        "title": same(one.title, found.get("title")),
        "author": same(one.author, found.get("author")),
        "date": (f"{one.published}" if one.published else "") == (found.get("published_at") or "")[:10],
        "language": one.language.code == found.get("language"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.extraction", description=__doc__)
    parser.add_argument("--documents", type=int, default=LISTED)
    tell(measure(parser.parse_args().documents))


if __name__ == "__main__":
    main()
