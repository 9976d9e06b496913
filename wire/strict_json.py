"""JSON as the doors take it: what one reader would see otherwise than another is refused, by name.

Refused: not UTF-8, NaN and Infinity, duplicate keys, `\\u0000`, lone surrogates, numbers beyond the range of a
double, integers of more than 1,000 digits, nesting deeper than 100.  Big integers stay exact.  The standard
library's parser is used because it alone lets us see duplicate keys; it costs 2 µs for a 200-byte body.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections import Counter
from typing import Any, Final, NoReturn

import pydantic_core

from wire.errors import Refused

MAX_DEPTH: Final = 100
RETURNABLE: Final = "use strings, numbers, lists, dicts or a Pydantic model"
MAX_DIGITS: Final = 1_000  # a double has 309 at most; nobody's key or amount has a thousand

_NUL_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse(text: bytes, field: str = "body", *, around: int = 0) -> Any:
    """The value that every strict reader would see, or Refused; `around` counts the levels it will stand in."""
    if b"\\u0000" in text and _NUL_ESCAPE.search(text):  # the expression alone takes longer than the parser
        raise Refused(field, "holds \\u0000, which Postgres cannot store", "remove the NUL character")
    try:
        value = _decode(text.decode())
    except UnicodeDecodeError as e:
        raise Refused(field, f"is not UTF-8 (byte {e.start})", "encode the JSON as UTF-8") from None
    except json.JSONDecodeError as e:
        if text.startswith(codecs.BOM_UTF8):
            raise Refused(field, "begins with a byte order mark", "encode the JSON as UTF-8 without one") from None
        raise Refused(field, f"is not JSON: {e.msg} at line {e.lineno} column {e.colno}") from None
    except RecursionError:
        raise _too_deep(field) from None
    except _Unfaithful as e:
        raise Refused(field, str(e)) from None
    _check_depth(text, value, field, MAX_DEPTH - around)
    _check_surrogates(text, value, field)
    return value


def encode(value: object, field: str = "result", *, around: int = 0) -> str:
    """The value as JSON that `parse` takes back, or Refused."""
    try:
        text = _encode(value)
        raw = text.encode()
    except RecursionError:
        raise _too_deep(field) from None
    except UnicodeEncodeError:
        raise Refused(field, "holds a lone surrogate, which is not text", "decode it with errors='replace'") from None
    except (TypeError, ValueError) as e:
        raise Refused(field, f"is not JSON: {str(e)[:300]}", RETURNABLE) from None
    except Exception as e:  # noqa: BLE001 - a user's object may raise anything when read: its job fails, no other does
        raise Refused(field, f"could not be read: {type(e).__name__}", RETURNABLE) from None
    parse(raw, field, around=around)  # keys 1 and "1" are one key in JSON; so is a number too long to be read back
    return text


class _Unfaithful(ValueError):
    """Two readers would see two values."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise _Unfaithful(f"has the key {twice[:80]!r} twice")
    return value


def _constant(name: str) -> NoReturn:
    raise _Unfaithful(f"holds {name}, which is not JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _Unfaithful(f"holds the number {digits[:40]}, beyond the range of a double")
    return value


def _int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _Unfaithful(f"holds an integer of {len(digits)} digits; at most {MAX_DIGITS} are taken")
    return int(digits)


_decoder = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float, parse_int=_int)


def _decode(text: str) -> Any:
    try:
        value, end = _decoder.raw_decode(text)
    except json.JSONDecodeError:
        end = -1
    if end == len(text):  # no space around it: the decoder's own search for some takes a quarter of its time
        return value
    return _decoder.decode(text)


def _check_depth(text: bytes, value: object, field: str, most: int) -> None:
    if text.count(b"[") + text.count(b"{") <= most:  # the common case costs two scans and no walk
        return
    layer, depth = [value], 0
    while layer := [node for node in layer if isinstance(node, dict | list)]:
        depth += 1
        if depth > most:
            raise _too_deep(field)
        layer = [child for node in layer for child in (node.values() if isinstance(node, dict) else node)]


def _too_deep(field: str) -> Refused:
    return Refused(field, f"is nested deeper than {MAX_DEPTH} levels", "flatten it")


def _check_surrogates(text: bytes, value: object, field: str) -> None:
    if b"\\u" not in text:
        return
    if _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise Refused(field, "holds a lone surrogate, which is not text", "send a whole pair or the character itself")


def _plain(value: object) -> object:
    """What a job may return beside JSON's own types: Pydantic models, dataclasses, dates, UUIDs, sets."""
    return pydantic_core.to_jsonable_python(value, inf_nan_mode="constants")


_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain).encode
