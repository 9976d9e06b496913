"""Split the body of a bulk request into its jobs: a JSON array, or NDJSON with one job a line.

The whole body is looked through before the first job is judged, because a body that breaks off must leave nothing
behind.  Whether a job says something sensible is not asked here.  A long body is looked through in slices, so that
other requests go on, and no more is made of it than jobs are taken: 16 MiB of `1,1,1,…` would become eight million.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from gateway.entrance.turn import Turn
from wire.errors import Refused

_OTHERWISE: Final = {"job": ", or NDJSON as application/x-ndjson"}
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_scan = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode  # the values are thrown away


async def jobs_of(body: bytes, *, lines: bool, most: int, what: str = "job") -> list[bytes]:
    """The bytes of each job in order, or Refused."""
    turn, found = Turn(), list[bytes]()
    for job in _lines(body, most) if lines else _elements(_text(body), what):
        if len(found) == most:
            raise _too_many(most, what)
        found.append(job)
        await turn.pass_on()
    if not found:
        raise Refused("body", f"holds no {what}", "send at least one")
    return found


def _lines(body: bytes, most: int) -> Iterator[bytes]:
    lines = body.rstrip().split(b"\n", most)  # what is beyond stays in one piece
    if len(lines) > most:
        raise _too_many(most, "job")
    return filter(None, map(bytes.strip, lines))


def _elements(text: str, what: str) -> Iterator[bytes]:
    at = _after_space(text, 0)
    if text[at : at + 1] != "[":
        raise Refused("body", "is not a JSON array", f"send an array of {what}s{_OTHERWISE.get(what, '')}")
    at = _after_space(text, at + 1)
    if text[at : at + 1] == "]":
        _check_end(text, at + 1)
        return
    number = 0
    while True:
        end = _end_of(text, at, f"{what} {number}")
        yield text[at:end].encode()
        at = _after_space(text, end)
        if text[at : at + 1] == "]":
            break
        if text[at : at + 1] != ",":
            raise Refused("body", f"is not JSON: after {what} {number} comes neither a comma nor the end")
        at, number = _after_space(text, at + 1), number + 1
    _check_end(text, at + 1)


def _too_many(most: int, what: str) -> Refused:
    return Refused("body", f"holds more than {most} {what}s", "send the rest in another request", code="too_large")


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as e:
        raise Refused("body", f"is not UTF-8 (byte {e.start})", "encode the JSON as UTF-8") from None


def _end_of(text: str, at: int, where: str) -> int:
    try:
        return _scan(text, at)[1]
    except json.JSONDecodeError as e:
        raise Refused("body", f"is not JSON: {e.msg} at line {e.lineno} column {e.colno}, in {where}") from None
    except RecursionError:
        raise Refused("body", f"is nested too deeply in {where}", "flatten it") from None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None  # it matches nothing, too
    return found.end()


def _check_end(text: str, at: int) -> None:
    if _after_space(text, at) != len(text):
        raise Refused("body", "is not JSON: something comes after the array's end")
