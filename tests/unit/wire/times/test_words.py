"""A schedule in words, and what the clocks will do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from wire.times.fires import dues
from wire.times.spec import parse
from wire.times.words import sentence, warnings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 9 * * *", "At 09:00 every day"),
        ("0 9 * * 1", "At 09:00 on Monday"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 0 1 * *", "At 00:00 on the 1st of every month"),
        ("* * * * *", "Every minute"),
        ("@hourly", "Every hour"),
        ("5 * * * *", "At minute 5 of every hour"),
        ("*/45 * * * *", "At minutes 0 and 45 of every hour"),
        ("*/90 * * * *", "Every hour"),
        ("0 */2 * * *", "Every 2 hours"),
        ("0 9-17 * * *", "Every hour from 09:00 to 17:00"),
        ("*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:45 on Monday to Friday"),
        ("0 9,17 * * sat,sun", "At 09:00 and 17:00 on Saturday and Sunday"),
        ("15 */7 * * *", "At 00:15, 07:15, 14:15 and 21:15 every day"),
        ("30 9 1,15 * *", "At 09:30 on the 1st and 15th of every month"),
        ("0 0 29 2 *", "At 00:00 on the 29th of February"),
        ("0 0 */2 * *", "At 00:00 on every 2nd day from the 1st to the 31st of every month"),
        ("0 9 13 * 5", "At 09:00 on the 13th of every month, or on Friday"),
        ("0 9 1-7 6-8 mon", "At 09:00 on the 1st to 7th of June to August, or on Monday in June to August"),
        ("0 9 */15 * 1", "At 09:00 on Monday where it is the 1st, 16th and 31st of every month"),
        ("0 12 * 1,7 *", "At 12:00 in January and July"),
        ("* * * * * *", "Every second"),
        ("*/10 * * * * *", "Every 10 seconds"),
        ("*/5 30 * * * *", "Every 5 seconds in minute 30 of every hour"),
        ("30 0 9 * * *", "At 09:00:30 every day"),
    ],
)
def test_an_expression_in_words(text: str, words: str) -> None:
    assert words == sentence(parse({"cron_expression": text}))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cron_expression": "0 9 * * 1", "timezone": "Europe/Berlin"}, "At 09:00 on Monday, in Europe/Berlin"),
        ({"cron_expression": ["0 9 * * 1", "@daily"]}, "At 09:00 on Monday and at 00:00 every day"),
        ({"interval_seconds": 90}, "Every 90 seconds"),
        ({"interval_seconds": 5400}, "Every 90 minutes"),
        ({"interval_seconds": 86400, "timezone": "Europe/Berlin"}, "Every 24 hours"),
        ({"once_at": "2026-12-01T09:00:00Z"}, "Once, at 2026-12-01 09:00, in UTC"),
        ({"interval_seconds": 1.5, "jitter_seconds": 1}, "Every 1.5 seconds, with up to 1 second of jitter"),
        ({"once_at": "2026-12-01T09:00", "timezone": "Asia/Kathmandu"}, "Once, at 2026-12-01 09:00, in Asia/Kathmandu"),
        (
            {
                "cron_expression": "@daily",
                "starts_at": "2026-12-01T00:00:00Z",
                "ends_at": "2027-01-01T00:00:30Z",
                "exclude": ["2026-12-24", "2026-12-25"],
                "spread_seconds": 600,
            },
            "At 00:00 every day, in UTC, from 2026-12-01 00:00, until 2027-01-01 00:00:30, "
            "except 2026-12-24 and 2026-12-25, spread over 10 minutes",
        ),
    ],
    ids=str,
)
def test_a_schedule_in_words(fields: dict[str, Any], words: str) -> None:
    assert words == sentence(parse(fields))


SPRING, AUTUMN = "2026-03-28T12:00", "2026-10-24T12:00"


@pytest.mark.parametrize(
    ("text", "policies", "after", "warned"),
    [
        (
            "30 2 * * *",
            {},
            SPRING,
            [
                "2026-03-29: 02:30 does not exist in Europe/Berlin; due at 03:00 instead (dst_gap=shift)",
                "2026-10-25: 02:30 comes twice in Europe/Berlin; due the first time (dst_overlap=first)",
                "2027-03-28: 02:30 does not exist in Europe/Berlin; due at 03:00 instead (dst_gap=shift)",
            ],
        ),
        (
            "0,30 2 * * *",
            {"dst_gap": "skip", "dst_overlap": "both"},
            AUTUMN,
            [
                "2026-10-25: 02:00 and 02:30 come twice in Europe/Berlin; due both times (dst_overlap=both)",
                "2027-03-28: 02:00 and 02:30 do not exist in Europe/Berlin; left out (dst_gap=skip)",
            ],
        ),
        ("0 9 * * *", {}, SPRING, []),
        (
            "0 * * * *",
            {},
            SPRING,
            [
                "2026-03-29: the clocks of Europe/Berlin go from 02:00 to 03:00; "
                "what is due in every hour goes on by elapsed time"
            ],
        ),
        ("0 * * * *", {}, "2026-06-01", []),
        ("30 2 * * *", {"exclude": ["2026-03-29", "* * * 10 *", "2027-03-28"]}, SPRING, []),
    ],
)
def test_the_clocks_are_told_of(text: str, policies: dict[str, Any], after: str, warned: list[str]) -> None:
    when = parse({"cron_expression": text, "timezone": "Europe/Berlin", **policies})
    since = datetime.fromisoformat(after).replace(tzinfo=UTC)

    assert warned == warnings(when, dues(when, since, since + timedelta(days=99), 14))


def test_a_day_that_does_not_exist_is_told_with_the_day_it_moves_to() -> None:
    when = parse({"cron_expression": "0 9 30 12 *", "timezone": "Pacific/Apia"})
    since = datetime(2011, 12, 1, tzinfo=UTC)

    told = "2011-12-30: 09:00 does not exist in Pacific/Apia; due at 2011-12-31 00:00 instead (dst_gap=shift)"
    assert [told] == warnings(when, dues(when, since, since + timedelta(days=99), 14))


def test_nothing_is_told_where_nothing_changes() -> None:
    when = parse({"interval_seconds": 60, "timezone": "Europe/Berlin"})

    assert [] == warnings(when, dues(when, datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), 10))
