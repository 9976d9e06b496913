"""Which part of an artifact is answered, and under which headers: pure tables."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from aiohttp import hdrs

from gateway.artifacts.headers import disposition, headers_of
from gateway.artifacts.ranges import NotSatisfiable, Part, part_of
from persistence.artifacts.artifact import Artifact, Kind

WHOLE = Part(0, 10, partial=False)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, WHOLE),
        ("bytes=0-3", Part(0, 4, partial=True)),
        ("bytes=4-", Part(4, 10, partial=True)),
        ("bytes=-3", Part(7, 10, partial=True)),
        ("bytes=-99", Part(0, 10, partial=True)),
        ("bytes=9-9", Part(9, 10, partial=True)),
        ("bytes=0-999999999999999999", Part(0, 10, partial=True)),
        ("bytes= 1-2 ", Part(1, 3, partial=True)),
        ("bytes=0-1,5-6", WHOLE),
        ("bytes=5-2", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=٣-٤", WHOLE),
        ("bytes=1" + "0" * 30 + "-", WHOLE),
        ("seconds=1-2", WHOLE),
        ("", WHOLE),
    ],
)
def test_a_range_is_answered_or_passed_over(header: str | None, part: Part) -> None:
    assert part == part_of(header, 10)


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-1", 0)])
def test_a_range_behind_the_end_is_told_so(header: str, size: int) -> None:
    with pytest.raises(NotSatisfiable):
        part_of(header, size)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("page.html", "attachment; filename=\"page.html\"; filename*=UTF-8''page.html"),
        ("Grüße 1.txt", "attachment; filename=\"Gr__e 1.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%201.txt"),
        ('a"; b="c\\', "attachment; filename=\"a_; b=_c_\"; filename*=UTF-8''a%22%3B%20b%3D%22c%5C"),
        ("../../etc/passwd", "attachment; filename=\".._.._etc_passwd\"; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd"),
    ],
)
def test_a_name_is_a_name_and_never_a_path_or_another_header(name: str, said: str) -> None:
    assert said == disposition(name, shown=False)


@pytest.mark.parametrize(
    ("content_type", "way"),
    [
        ("image/png", "inline"), ("text/plain; charset=utf-8", "inline"), ("application/json", "inline"),
        ("video/mp4", "inline"), ("AUDIO/OGG", "inline"), ("text/html", "attachment"), ("image/svg+xml", "attachment"),
        ("application/xhtml+xml", "attachment"), ("text/xml", "attachment"), ("text/javascript", "attachment"),
        ("application/pdf", "attachment"), ("application/octet-stream", "attachment"), ("what", "attachment"),
    ],
)  # fmt: skip
def test_what_a_browser_could_run_is_never_shown(content_type: str, way: str) -> None:
    headers = headers_of(_artifact(content_type), download=False)

    assert (way, content_type) == (headers["Content-Disposition"].partition(";")[0], headers["Content-Type"])
    assert ("nosniff", "bytes", '"ab"') == (
        headers["X-Content-Type-Options"], headers[hdrs.ACCEPT_RANGES], headers[hdrs.ETAG],
    )  # fmt: skip
    assert {"sandbox", "default-src 'none'"} <= {said.strip() for said in headers["Content-Security-Policy"].split(";")}
    assert "attachment" == headers_of(_artifact(content_type), download=True)["Content-Disposition"].partition(";")[0]


def _artifact(content_type: str) -> Artifact:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return Artifact(UUID(int=1), UUID(int=2), 1, Kind.SAVED, "a", content_type, 10, "ab", at, "key")
