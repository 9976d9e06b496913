"""The command `warren`, as a person types it against a gateway; the gateway logs on the same screen here."""

from __future__ import annotations

import asyncio
import re

import pytest

import warren
from tests.room.gateway.running import Running

_LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")


async def typed(running: Running, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str], list[str]]:
    """How it ended, and what it printed for people and for errors."""
    capsys.readouterr()
    code = await asyncio.to_thread(warren.main, [*words, "--url", f"http://127.0.0.1:{running.port}"])
    told = capsys.readouterr()
    return code, [line for line in told.out.splitlines() if not _LOGGED.match(line)], told.err.splitlines()
