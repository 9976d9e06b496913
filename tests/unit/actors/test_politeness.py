"""What hosts say of how they want to be asked, read: Retry-After, and the rules of a robots.txt."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from actors.trades.politeness.retry_after import retry_after
from actors.trades.politeness.rules import parse, unreadable

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
RULES = """
User-agent: *
Disallow: /private
Allow: /private/open
Crawl-delay: 2

User-agent: Warren
Disallow: /*.pdf$
Request-rate: 1/5
"""


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("99999999999999999999", 86_400.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("1.5", 0.0),
        ("²", 0.0),
        ("Sat, 21 Nov 2026 12:01:00 GMT", 60.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 21 Nov 2036 12:00:00 GMT", 86_400.0),
        ("Sat, 21 Nov 2026 13:01:00 +0100", 60.0),
        ("Sat, 99 Nov 2026 12:01:00 GMT", 0.0),
    ],
)
def test_how_long_a_host_asks_to_be_left_alone(said: str | None, seconds: float) -> None:
    assert seconds == retry_after(said, NOW)


@pytest.mark.parametrize(
    ("agent", "path", "allowed", "delay"),
    [
        ("curl/8", "/private/1", False, 2.0),
        ("curl/8", "/private/open/1", True, 2.0),
        ("curl/8", "/a.pdf", True, 2.0),
        ("warren/1.0 (+https://example.org)", "/a.pdf", False, 5.0),
        ("warren/1.0 (+https://example.org)", "/private/1", True, 5.0),
    ],
)
def test_the_rules_are_those_for_our_name(agent: str, path: str, allowed: bool, delay: float) -> None:
    rules = parse(RULES)

    assert (allowed, delay) == (rules.allow(f"https://a.example{path}", agent), rules.delay(agent))


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("", 0.0),
        ("\x00\xff<html>", 0.0),
        ("User-agent: *\nCrawl-delay: -3", 0.0),
        ("User-agent: *\nCrawl-delay: nan", 0.0),
        ("User-agent: *\nCrawl-delay: inf", 0.0),
        ("User-agent: *\nCrawl-delay: 1e9", 3_600.0),
    ],
)
def test_what_is_odd_allows_all_and_holds_nobody_for_long(text: str, delay: float) -> None:
    assert (True, delay) == (parse(text).allow("https://a.example/", "warren"), parse(text).delay("warren"))


def test_what_could_not_be_read_allows_nothing() -> None:
    assert not parse("", "HTTP 503").allow("https://a.example/", "warren")


@pytest.mark.parametrize(
    ("status", "fault"),
    [(200, None), (404, None), (403, None), (429, "HTTP 429"), (500, "HTTP 500"), (503, "HTTP 503")],
)
def test_a_robots_txt_that_is_not_there_allows_all_and_one_that_is_out_of_order_nothing(
    status: int, fault: str | None
) -> None:
    assert fault == unreadable(status)
