"""Which language a text is in: as its document says, else by its letters, else by its smallest words.

No statistics, no model: for what no author has said, a dozen languages that most of the web is written in.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

LOOKED_AT: Final = 5_000  # characters
FEWEST: Final = 3  # small words, before they are believed
_CODE: Final = re.compile(r"([a-z]{2,3})(?:[-_].*)?", re.IGNORECASE).fullmatch
_WORD: Final = re.compile(r"[^\W\d_]+")

_WORDS: Final = {
    "en": "the and of to in is that for with was as on it are be this by from have not",
    "de": "der die und das ist nicht ein eine mit den von zu auf für dem im sich des auch es",
    "fr": "le la les et des un une est dans que pour qui sur pas au du par plus avec ce",
    "es": "el la los las y de que en un una es por con para del se no su más como",
    "it": "il la che di e un una per è non con del della sono gli le nel si come più",
    "pt": "o a os as e de que em um uma para com não do da por mais como no na",
    "nl": "de het een en van is dat niet in op te voor met zijn aan er ook als bij om",
    "sv": "och att det som en är på för av med den till inte ett har om de var jag vi",
    "da": "og at det er en på for af med den til ikke et har som de var der vi jeg",
    "pl": "i w na z nie się że do jest to o jak po ale za od przez dla są jego",
    "cs": "a se na je že v to s z do jsem ale jako pro tak by jeho které jsou při",
    "tr": "ve bir bu için ile da de olarak çok daha gibi olan kadar ne ama sonra her en var mi",
}
SMALL_WORDS: Final = {code: words.split() for code, words in _WORDS.items()}
LETTERS: Final = (  # by script, the likeliest language in it
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("uk", re.compile(r"[їєґЇЄҐ]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
)
SHARE: Final = {"ja": 0.05, "uk": 0.005}  # of the letters; a Japanese text is half Chinese signs


def language(said: str | None, text: str) -> str | None:
    """The two or three letters of ISO 639."""
    declared = _CODE(said.strip()) if said else None
    return declared[1].lower() if declared else detected(text)


def detected(text: str) -> str | None:
    """By what is written; None where it could be several."""
    sample = text[:LOOKED_AT]
    letters = sum(map(str.isalpha, sample)) or 1
    for code, script in LETTERS:
        if len(script.findall(sample)) / letters > SHARE.get(code, 0.3):
            return code
    words = Counter(_WORD.findall(sample.lower()))
    scores = sorted(((sum(words[word] for word in small), code) for code, small in SMALL_WORDS.items()), reverse=True)
    (best, code), (second, _) = scores[:2]
    return code if best >= FEWEST and best > second * 1.1 else None
