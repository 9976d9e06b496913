"""`warren logs ID`: what a job has logged, a line a line; with `--follow` until it has ended."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator

from gateway.client.blocking import SyncClient
from gateway.client.replies import LogLine
from gateway.client.terminal import plain, told


def tell(job_id: str, url: str | None, *, follow: bool, attempt: int | None, limit: int | None) -> int:
    """Print them; the exit code."""

    def say(warren: SyncClient) -> Generator[str, None, None]:
        if not follow:
            yield from map(line_page, warren.logs(job_id, attempt=attempt, limit=limit))
            return
        with contextlib.closing(warren.follow_logs(job_id, attempt=attempt, limit=limit)) as lines:
            yield from map(line_page, lines)

    return told("logs", url, say)


def line_page(line: LogLine) -> str:
    """When, in which attempt, how grave, what, and with which values; always one line."""
    values = [f"{plain(name)}={_value(value)}" for name, value in line.fields.items()]
    when = f"{line.at:%Y-%m-%d %H:%M:%S}.{line.at.microsecond // 1000:03}"
    return " ".join([when, f"#{line.attempt}", f"{line.level:<7}", plain(line.event), *values]) + "\n"


def _value(value: object) -> str:
    """A plain word as it is, so that it can be read; all else as JSON, so that it can be told apart."""
    simple = isinstance(value, str) and value and not set(value) & set(' "=') and value.isprintable()
    return str(value) if simple else plain(json.dumps(value, ensure_ascii=False))
