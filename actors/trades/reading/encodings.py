"""Bytes → text: by what the bytes are, then by what is said of them, then by a guess.

The order is a browser's (byte order mark, HTTP header, `<meta>` or XML declaration, detection) but for one rule before
all that is merely said: bytes beyond ASCII that are valid UTF-8 are UTF-8.  A server that puts `charset=ISO-8859-1` on
every file it has is common, and a text in another encoding that happens to be valid UTF-8 is not.

Refuses no document: what cannot be decoded becomes U+FFFD, and how much that was is told.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final, Literal

from charset_normalizer import from_bytes
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, to_unicode

Source = Literal["bom", "bytes", "header", "meta", "detected", "assumed"]

# those of the WHATWG encoding standard, as Python names them: others that Python knows are no encodings of documents
# ("idna", "unicode_escape"), or let ASCII mean something else ("utf-7")
DOCUMENTS: Final = frozenset(
    ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "ascii", "cp866", "koi8-r"]
    + ["koi8-u", "mac-roman", "mac-cyrillic", "cp874", "gbk", "gb18030", "gb2312", "big5", "big5hkscs", "euc_jp"]
    + ["iso2022_jp", "shift_jis", "cp932", "euc_kr", "cp949", "tis-620", *(f"cp125{n}" for n in range(9))]
    + [f"iso8859-{n}" for n in range(1, 17) if n != 12]
)
# what is guessed: those that documents without a word about it are in; with the rare ones every Polish page is Nordic
# of two that fit alike the first is taken
GUESSED: Final = (
    "cp1252", "cp1251", "cp1250", "iso8859-2", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8-r",
    "cp932", "euc_jp", "gb18030", "big5", "cp949", "cp874",
)  # fmt: skip
NEAR: Final = 0.01
_BETWEEN: Final = re.compile(rb"(?:\A|[>\r\n])([^<>\r\n]+)").findall
DETECTED_BYTES: Final = 16 * 1024  # of those that matter; a guess over a megabyte takes seconds and is no better


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str
    known_by: Source
    replaced: int  # how many places could not be decoded


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """The text of a document."""
    mark, sign = read_bom(body)
    if mark is not None and sign is not None:
        return _decoded(body[len(sign) :], mark, "bom")
    encoding, known_by = _encoding(body, content_type)
    return _decoded(body, encoding, known_by)


def _encoding(body: bytes, content_type: str | None) -> tuple[str, Source]:
    header = _known(http_content_type_encoding(content_type))
    if header is not None and header.startswith(("utf-16", "utf-32")):
        return header if header[6:] else f"{header}-le", "header"  # as a browser takes it without a mark
    plain = body.isascii()
    if not plain and _is_utf8(body):
        return "utf-8", "bytes"
    if header is not None:
        return header, "header"
    meta = _known(html_body_declared_encoding(body))
    if meta is not None:  # a declaration that could be read is no UTF-16, whatever it says
        return ("utf-8" if meta.startswith(("utf-16", "utf-32")) else meta), "meta"
    return ("utf-8", "assumed") if plain else _detected(body)


def _known(name: str | None) -> str | None:
    return name if name in DOCUMENTS else None


def _is_utf8(body: bytes) -> bool:
    """Even where it is cut in the middle of a character, as a capped document is."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as e:
        return e.reason == "unexpected end of data" and e.start > len(body) - 4 and not body[: e.start].isascii()
    return True


def _detected(body: bytes) -> tuple[str, Source]:
    """By the pieces between tags that are not plain, the only ones that differ between encodings."""
    pieces, size = [], 0
    for piece in _BETWEEN(body):
        if not piece.isascii() and size < DETECTED_BYTES:
            pieces.append(piece[:DETECTED_BYTES])
            size += len(pieces[-1])
    guesses = list(from_bytes(b"\n".join(pieces)[:DETECTED_BYTES], cp_isolation=list(GUESSED)))
    if not guesses:
        return "cp1252", "assumed"
    near = [guess for guess in guesses if guess.chaos <= guesses[0].chaos + NEAR]  # equally free of rubbish
    likeliest = max(guess.coherence for guess in near)
    names = {name for guess in near if guess.coherence == likeliest for name in guess.could_be_from_charset}
    return min((codecs.lookup(name).name for name in names), key=_rank), "detected"


def _rank(name: str) -> int:
    return GUESSED.index(name) if name in GUESSED else len(GUESSED)


def _decoded(body: bytes, encoding: str, known_by: Source) -> Decoded:
    text = to_unicode(body, encoding)
    return Decoded(text, encoding, known_by, text.count("\ufffd"))
