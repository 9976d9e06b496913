"""What the commands print: always one line a line, in words, with nothing in it that a terminal obeys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.client.logs_page import line_page
from gateway.client.replies import LogLine
from gateway.client.schedule_replies import ComingRun, Preview
from gateway.client.schedules_page import far, preview_page
from gateway.client.terminal import plain

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def line(event: str, **fields: Any) -> str:
    return line_page(LogLine(attempt=1, lease=1, number=1, at=NOON, level="info", event=event, fields=fields))


@pytest.mark.parametrize(
    ("event", "fields", "printed"),
    [
        ("page_read", {"status": 200, "host": "example.org"}, "page_read status=200 host=example.org"),
        ("two\nlines", {}, "two\\nlines"),
        ("\x1b]0;title\x07red", {"cell": "\x1b[2J"}, '\\x1b]0;title\\x07red cell="\\u001b[2J"'),
        ("said", {"what": "a b", "nothing": "", "none": None}, 'said what="a b" nothing="" none=null'),
        ("deep", {"in": {"a": [1, "ü"]}}, 'deep in={"a": [1, "ü"]}'),
        ("back\u202ewards", {}, "back\\u202ewards"),
    ],
)
def test_a_line_is_one_line(event: str, fields: dict[str, Any], printed: str) -> None:
    assert f"2026-11-21 12:00:00.000 #1 info    {printed}\n" == line(event, **fields)


def test_what_can_be_read_stays() -> None:
    assert "Größe 3 × 4 – 北京" == plain("Größe 3 × 4 – 北京")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "in 0 s"), (12, "in 12 s"), (-12, "12 s ago"), (60, "in 1 min"), (3_725, "in 1 h 2 min"),
        (3_605, "in 1 h"), (86_400, "in 1 day"), (3 * 86_400 + 4 * 3_600 + 59, "in 3 days 4 h"),
    ],
)  # fmt: skip
def test_how_far_off_it_is(seconds: int, words: str) -> None:
    assert words == far(NOON + timedelta(seconds=seconds), NOON)


def test_due_times_are_told_in_their_zone_and_how_far_off_they_are() -> None:
    due = ComingRun(datetime(2026, 11, 23, 8, tzinfo=UTC), "2026-11-23T09:00:00+01:00")
    preview = Preview("At 09:00 on Monday, in Europe/Berlin", "Europe/Berlin", (due,), True, ("a warning",))

    assert [
        "At 09:00 on Monday, in Europe/Berlin (if it were not paused)",
        "  Mon 23 Nov 2026 09:00:00 +0100  in 1 day 20 h",
        "  a warning",
    ] == preview_page(preview, "paused", NOON)
    assert "  never again" == preview_page(Preview("Once", "UTC", ()), now=NOON)[1]
