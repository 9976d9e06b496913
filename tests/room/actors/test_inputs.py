"""What a payload names is a file before the job begins its work, or the job fails with the field's name."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from actors.trades.inputs.bring import bring
from actors.trades.outbound.fetch import fetch
from tests.room.actors.outbound_server import Asked, Reply, Server
from warren import inline, job, outbound

MIB = 1024 * 1024
KNOWN = UUID(int=5)


class Source(BaseModel):
    source: str
    most_bytes: int = MIB


@job("brings_a_source")
async def brings(payload: Source) -> dict[str, object]:
    file = await bring(payload.source, most_bytes=payload.most_bytes, field="dataset")
    return {"name": file.name, "size": file.stat().st_size}


@pytest.fixture(autouse=True)
def _loopback() -> Iterator[None]:
    with outbound(allow=["127.0.0.1"], ports="any"):
        yield


def answers(status: str, *headers: str, body: bytes = b"") -> Reply:
    async def reply(asked: Asked) -> None:
        await asked.answer(status, *headers, body=body)

    return reply


async def brought(source: str, **given: Any) -> Any:
    return await inline(brings, Source(source=source), **given)


@pytest.mark.parametrize(
    ("path", "content_type", "name"),
    [
        ("/a/numbers.csv?v=2", "text/plain", "numbers.csv"),
        ("/a/numbers", "text/csv; charset=utf-8", "numbers.csv"),
        ("/", "application/json", "file.json"),
        ("/..%2F..%2Fetc%2Fpasswd.csv", "text/csv", "passwd.csv"),
        ("/download", "application/x-nobody-knows", "_download"),
    ],
)
async def test_a_url_becomes_a_file_with_its_name(path: str, content_type: str, name: str) -> None:
    async with Server(answers("200 OK", f"Content-Type: {content_type}", body=b"a\n1\n")).listening() as server:
        ran = await brought(server.url + path)

    assert {"name": name, "size": 4} == ran.result, ran.error


@pytest.mark.parametrize(
    ("status", "ended", "words"),
    [
        ("404 Not Found", "failed", r"^dataset: http://127.0.0.1:\d+ answered 404"),
        ("204 No Content", "failed", "^dataset: the answer has status 204 and is no file"),
        ("503 Busy", "retry", "answered 503"),
        ("429 Many", "retry", "answered 429"),
    ],
)
async def test_an_answer_that_is_no_file_ends_the_attempt(status: str, ended: str, words: str) -> None:
    async with Server(answers(status)).listening() as server:
        ran = await brought(server.url + "/x.csv")

    assert ended == ran.ended
    with pytest.raises(type(ran.error), match=words):
        raise ran.error


@pytest.mark.parametrize("how", ["announced", "unpacked"])
async def test_a_file_that_is_too_large_is_refused_by_the_name_of_its_field(how: str) -> None:
    body = bytes(2 * MIB)
    reply = answers("200 OK", body=body)
    if how == "unpacked":
        reply = answers("200 OK", "Content-Encoding: gzip", body=gzip.compress(body))
    async with Server(reply).listening() as server:
        ran = await brought(server.url + "/x.csv")

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith("dataset: http://127.0.0.1")
    assert "WARREN_OUTBOUND_MAX_BYTES" not in str(ran.error)


async def test_what_goes_into_a_file_is_not_in_memory(tmp_path: Path) -> None:
    """
    32 MiB by way of a few; a file of an earlier try is written anew, and what is cut is cut there too.
    """
    into, reply = tmp_path / "film", answers("200 OK", "Content-Encoding: gzip", body=gzip.compress(bytes(32 * MIB)))
    into.write_bytes(b"half of it")
    async with Server(reply).listening() as server:
        tracemalloc.start()
        document = await fetch(server.url, into=into, most_bytes=64 * MIB)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        whole = into.stat().st_size
        await fetch(server.url, into=into, most_bytes=100_001, cut=True)

    assert (b"", 32 * MIB, 100_001) == (document.body, whole, into.stat().st_size)
    assert peak < 12 * MIB


async def test_an_artifact_and_a_sample_are_brought_too(tmp_path: Path) -> None:
    given = tmp_path / "numbers.csv"
    given.write_text("a\n1\n")
    ran, sample = await brought(str(KNOWN), artifacts={KNOWN: given}), await brought("sample:sales_data")

    assert ({"name": "numbers.csv", "size": 4}, "sales_data.csv") == (ran.result, sample.result["name"])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("sample:nothing", "dataset: there is no sample named 'nothing'; known: clip, sales_data"),
        ("file:///etc/passwd", "dataset: 'file:///etc/passwd' is not the id of an artifact, an http(s) URL, or sample"),
        ("/etc/passwd", "dataset: '/etc/passwd' is not the id"),
        ("", "dataset: '' is not the id"),
        (str(KNOWN), f"dataset: there is no artifact {KNOWN}"),
        ("http://169.254.169.254/latest", "dataset: "),
    ],
)
async def test_what_cannot_be_brought_fails_the_job_with_the_name_of_its_field(source: str, words: str) -> None:
    ran = await brought(source)

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith(words)
