"""A document that cannot be read ends the process that reads it, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.trades.reading import readers
from actors.trades.reading.asking import Question
from actors.trades.reading.readers import ReaderDied, Readers
from actors.trades.reading.unreadable import Unreadable
from tests.eventually import eventually

PAGE = b"<html><head><title>Boats</title></head><body><a href='/b'>b</a><p>Two boats, and a heron on each.</p>"
ENDLESS = b"<html><body>" + b"<table><tr><td>" * 2_000
SURVEY = {
    "title": "Boats",
    "preview": "b Two boats, and a heron on each.",
    "links": ["https://example.org/b"],
    "own_address": None,
}


def question(body: bytes = PAGE, content_type: str | None = "text/html") -> Question:
    return Question("survey", "https://example.org/a", content_type, body)


@pytest.fixture
async def reading() -> AsyncIterator[Readers]:
    made = Readers(seconds=0.5)
    yield made
    made.stop()


def process(reading: Readers) -> int:
    return reading._free[0]._process.pid


async def test_one_process_reads_one_after_another(reading: Readers) -> None:
    first = await reading.read(question())
    pid = process(reading)
    others = await asyncio.gather(*(reading.read(question()) for _ in range(10)))

    assert ([SURVEY] * 11, pid) == ([first, *others], process(reading))


async def test_one_that_takes_too_long_is_ended_and_the_next_is_read(reading: Readers) -> None:
    endless = Question("article", "https://example.org/a", "text/html", ENDLESS)
    ended, after = await asyncio.gather(reading.read(endless), reading.read(question()), return_exceptions=True)

    assert "the document takes more than 0.5 s of processor time to read" == str(ended)
    assert (Unreadable, SURVEY) == (type(ended), after)


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"%PDF-1.7", "application/pdf; x=y", "the document is application/pdf, not HTML"),
        (b"\x89PNG", None, "the document is something unnamed, not HTML"),
        (b"<a>" * 300_001, "text/html", "300001 tags"),
    ],
)
async def test_what_cannot_be_read_is_told(reading: Readers, body: bytes, content_type: str | None, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        await reading.read(question(body, content_type))


async def test_a_process_that_was_killed_is_replaced(reading: Readers) -> None:
    await reading.read(question())
    os.kill(process(reading), signal.SIGKILL)
    with pytest.raises(ReaderDied, match="ended with -9"):
        await reading.read(question())

    assert SURVEY == await reading.read(question())


async def test_whoever_is_cancelled_leaves_no_process_at_work(reading: Readers) -> None:
    await reading.read(question())
    pid = process(reading)
    asking = asyncio.ensure_future(reading.read(Question("article", "https://example.org/a", "text/html", ENDLESS)))
    await eventually(lambda: not reading._free)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert SURVEY == await reading.read(question())
    assert pid != process(reading)


async def test_it_has_no_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:secret@h/d")
    monkeypatch.setenv("WARREN_API_KEYS", "secret")

    assert not [value for value in readers._environment().values() if "secret" in value]


def test_it_ends_with_its_loop() -> None:
    async def once() -> int:
        await readers.read(question())
        return process(readers._of_loops[asyncio.get_running_loop()])

    pid = asyncio.run(once())

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


WORKER = """
import asyncio
from actors.trades.reading.asking import Question
from actors.trades.reading.readers import Readers
async def main():
    reading = Readers(seconds=600.0)
    await reading.read(Question("survey", "https://example.org/a", "text/html", b"<p>a</p>"))
    print(reading._free[0]._process.pid, flush=True)
    await reading.read(Question("article", "https://example.org/a", "text/html", b"<table><tr><td>" * 2_000))
asyncio.run(main())
"""


async def test_it_ends_with_its_worker_in_the_middle_of_a_document() -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert worker.stdout is not None
    pid = int(await worker.stdout.readline())
    assert _runs(pid)
    worker.kill()
    await worker.wait()

    await eventually(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
