"""Read the values of a JSON array one by one, of a file larger than we have room for.  No engine does it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, TextIO

from actors.ends import PermanentError

READ: Final = 256 * 1024  # characters at once
LONGEST: Final = 16 * 1024 * 1024  # characters of one value
DEEPEST: Final = 64
_TEXTS: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKETS: Final = re.compile(r"[{}\[\]]")
BLANKS: Final = " \t\r\n"


def records(file: TextIO, what: str) -> Iterator[object]:
    """Its values; PermanentError about `what` where it is no array of such, or ends too soon."""
    reader = _Reader(file, what)
    reader.take("[")
    if reader.peek() == "]":
        return
    while True:
        yield reader.value()
        if reader.take(",]") == "]":
            return


class _Reader:
    def __init__(self, file: TextIO, what: str) -> None:
        self._file, self._what = file, what
        self._text, self._at, self._number = "", 0, 0
        self._decoder = json.JSONDecoder()

    def peek(self) -> str:
        """The next sign that is no blank; none at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in BLANKS:
                    return self._text[self._at]
                self._at += 1
            if not self._read(READ):
                return ""

    def take(self, signs: str) -> str:
        found = self.peek()
        if not found:
            raise PermanentError(f"{self._what} ends in the middle of its array, after record {self._number}")
        if found not in signs:
            raise PermanentError(f"{self._what}: after record {self._number} stands {found!r} and no {signs[0]!r}")
        self._at += 1
        return found

    def value(self) -> object:
        """The next value; what does not end within what was read may do so in what follows."""
        self._number += 1
        if not self.peek():
            raise PermanentError(f"{self._what} ends in the middle of its array, after record {self._number - 1}")
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as e:
                left, may_go_on = len(self._text) - self._at, isinstance(e, json.JSONDecodeError)
                if not may_go_on or left > LONGEST or not self._read(max(READ, left)):
                    raise PermanentError(f"{self._what}: record {self._number} is no JSON: {_words(e)}") from None
            else:
                return value

    def _read(self, count: int) -> bool:
        more = self._file.read(count)
        self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)


def too_deep(line: str) -> bool:
    """Whether an object is nested deeper than the engine bears: it ends its process, without a word."""
    if line.count("{") + line.count("[") <= DEEPEST:
        return False
    depth = deepest = 0
    for sign in _BRACKETS.findall(_TEXTS.sub("", line)):
        depth += 1 if sign in "{[" else -1
        deepest = max(deepest, depth)
    return deepest > DEEPEST


def _words(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return "it is nested too deeply" if isinstance(error, RecursionError) else "it has a number of too many digits"
