"""Artifacts over HTTP: told as what they are, whole or in part, and never run as a page of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest

from gateway.client.artifact_replies import Artifact
from gateway.client.artifacts import PART
from gateway.client.calls import Client
from gateway.client.failures import NotFound
from persistence.artifacts import artifact
from persistence.artifacts.archive import Archive, Label, Saver
from persistence.artifacts.artifact import Kind
from persistence.artifacts.object_store import READ
from tests.room.gateway.running import ARTIFACTS as FOLDER
from tests.room.gateway.running import JOBS, Running
from tests.room.gateway.stumbling import Stumbling
from wire.errors import Refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

ARTIFACTS = "/api/v1/artifacts"
TEXT = b"0123456789" * 300_000


async def running_job(running: Running) -> UUID:
    """A job in its first start, as a worker's claim would leave it."""
    job_id = (await running.submit())["id"]
    await running.sql("UPDATE warren.jobs SET state = 'running', lease = 1, attempt = 1 WHERE id = $1", job_id)
    return UUID(job_id)


async def saved(
    running: Running, job_id: UUID, content: bytes = b"<p>hello</p>", name: str = "page.html",
    content_type: str = "text/html", kind: Kind = Kind.SAVED,
) -> artifact.Artifact:  # fmt: skip
    archive = Archive(running.room.database, running.room.objects, 10**8)
    return await archive.save(Saver(job_id, 1, 1), Label(name, content_type, kind), content)


async def test_a_list_tells_what_there_is_page_by_page(running: Running) -> None:
    job_id = await running_job(running)
    none = await running.get(f"{JOBS}/{job_id}/artifacts")
    made = [await saved(running, job_id, b"%d" % n, f"{n}.txt", "text/plain") for n in range(3)]
    first = await running.get(f"{JOBS}/{job_id}/artifacts?limit=2")
    rest = await running.get(f"{JOBS}/{job_id}/artifacts?limit=2&cursor={first['next_cursor']}")

    assert {"items": [], "next_cursor": None} == none
    assert [str(one.id) for one in made] == [one["id"] for one in first["items"] + rest["items"]]
    assert rest["next_cursor"] is None
    assert {
        "id": str(made[0].id), "job_id": str(job_id), "attempt": 1, "kind": "saved", "name": "0.txt",
        "content_type": "text/plain", "size_bytes": 1, "sha256": made[0].sha256,
        "created_at": first["items"][0]["created_at"],
        "links": {"self": f"{ARTIFACTS}/{made[0].id}", "job": f"{JOBS}/{job_id}"},
    } == first["items"][0]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "status", "content", "said"),
    [
        ({}, 200, TEXT, None),
        ({"Range": "bytes=5-24"}, 206, TEXT[5:25], f"bytes 5-24/{len(TEXT)}"),
        ({"Range": f"bytes={READ - 5}-{READ + 4}"}, 206, TEXT[READ - 5 : READ + 5], "bytes 1048571-1048580/3000000"),
        ({"Range": "bytes=-4"}, 206, TEXT[-4:], "bytes 2999996-2999999/3000000"),
        ({"Range": "bytes=0-1,5-6"}, 200, TEXT, None),
        ({"Range": "bytes=5-24", "If-Range": "ETAG"}, 206, TEXT[5:25], f"bytes 5-24/{len(TEXT)}"),
        ({"Range": "bytes=5-24", "If-Range": '"another"'}, 200, TEXT, None),
        ({"If-None-Match": "ETAG"}, 304, b"", None),
        ({"If-None-Match": '"another"'}, 200, TEXT, None),
    ],
)
async def test_bytes_come_whole_in_part_or_not_again(
    running: Running, asked: dict[str, str], status: int, content: bytes, said: str | None
) -> None:
    one = await saved(running, await running_job(running), TEXT, "a.txt", "text/plain")
    headers = {name: value.replace("ETAG", f'"{one.sha256}"') for name, value in asked.items()}
    async with running.client.get(f"{ARTIFACTS}/{one.id}", headers=headers) as answer:
        body = await answer.read()

    assert (status, content, said) == (answer.status, body, answer.headers.get("Content-Range"))
    assert (f'"{one.sha256}"', "private, no-cache", "bytes") == tuple(
        answer.headers[name] for name in ("ETag", "Cache-Control", "Accept-Ranges")
    )


async def test_the_head_alone_tells_the_same_without_the_bytes(running: Running) -> None:
    one = await saved(running, await running_job(running))
    async with running.client.head(f"{ARTIFACTS}/{one.id}") as answer:
        body = await answer.read()

    assert (200, "12", b"") == (answer.status, answer.headers["Content-Length"], body)


async def test_a_page_that_a_job_has_fetched_cannot_run_here(running: Running) -> None:
    one = await saved(running, await running_job(running), b"<script>fetch('/api/v1/jobs')</script>")
    async with running.client.get(f"{ARTIFACTS}/{one.id}") as answer:
        told = answer.headers

    assert ("text/html", "nosniff", "same-origin") == tuple(
        told[name] for name in ("Content-Type", "X-Content-Type-Options", "Cross-Origin-Resource-Policy")
    )
    assert told["Content-Disposition"].startswith('attachment; filename="page.html"')
    assert {"default-src 'none'", "sandbox"} <= {part.strip() for part in told["Content-Security-Policy"].split(";")}
    assert 1 == len(told.getall("Content-Security-Policy"))


async def test_a_result_is_read_by_one_route_whatever_its_size(running: Running) -> None:
    small, large = await running_job(running), await running_job(running)
    runs = await running.get(f"{JOBS}/{small}/result", 409)
    kept = await saved(running, large, b'{"much": 1.50}', "result.json", "application/json", Kind.RESULT)
    await running.finish(str(small), '{"a": 1.50}')
    await running.sql("UPDATE warren.jobs SET state = 'completed', finished_at = now() WHERE id = $1", str(large))
    told = await running.get(f"{JOBS}/{large}")
    texts = []
    for job_id in (small, large):
        async with running.client.get(f"{JOBS}/{job_id}/result") as answer:
            texts.append((await answer.text(), answer.content_type))

    assert "#wrong_state" in runs["type"]
    assert [('{"a": 1.50}', "application/json"), ('{"much": 1.50}', "application/json")] == texts
    assert (None, {"id": str(kept.id), "size_bytes": 14}) == (told["result"], told["result_artifact"])
    refused = await running.delete(f"{ARTIFACTS}/{kept.id}", 409)
    assert refused is not None
    assert "is the result of job" in refused["detail"]


async def test_what_is_deleted_is_not_there(running: Running) -> None:
    job_id = await running_job(running)
    one = await saved(running, job_id)
    await running.delete(f"{ARTIFACTS}/{one.id}")
    gone = await running.get(f"{ARTIFACTS}/{one.id}", 404)

    assert [] == (await running.get(f"{JOBS}/{job_id}/artifacts"))["items"]
    assert "it may have been replaced, deleted or retired" == gone["remedy"]
    for path in (f"{ARTIFACTS}/{UUID(int=7)}", f"{JOBS}/{UUID(int=7)}/artifacts", f"{JOBS}/{UUID(int=7)}/result"):
        assert "#not_found" in (await running.get(path, 404))["type"]
    assert "#malformed" in (await running.get(f"{ARTIFACTS}/what", 422))["type"]


async def test_a_range_behind_the_end_and_bytes_that_are_gone_are_problems(running: Running) -> None:
    one = await saved(running, await running_job(running))
    async with running.client.get(f"{ARTIFACTS}/{one.id}", headers={"Range": "bytes=12-"}) as behind:
        told = await behind.json(content_type=None)
    (FOLDER / one.key).unlink()
    gone = await running.get(f"{ARTIFACTS}/{one.id}", 503)

    assert (416, "bytes */12", "Range") == (behind.status, behind.headers["Content-Range"], told["field"])
    assert "the gateway and the workers must have the same WARREN_ARTIFACTS_URL" == gone["remedy"]
    assert str(FOLDER) not in str(gone)


async def test_a_store_that_goes_away_in_the_middle_breaks_the_answer_off(running: Running) -> None:
    """
    And never ends it as if it were whole.
    """
    one = await saved(running, await running_job(running), TEXT)
    (FOLDER / one.key).write_bytes(TEXT[: READ + 10])
    with pytest.raises(Exception, match="payload is not completed"):
        async with running.client.get(f"{ARTIFACTS}/{one.id}") as answer:
            await answer.read()


@pytest.mark.parametrize("by_way_of", ["a proxy that knows no ranges", "none"])
async def test_a_client_lists_reads_stores_and_deletes(
    running: Running, proxy: Stumbling, by_way_of: str, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{running.port}" if by_way_of == "none" else proxy.url
    async with Client(url) as client:
        await _use(running, client, tmp_path)


async def _use(running: Running, client: Client, tmp_path: Path) -> None:
    job_id = await running_job(running)
    sizes = (0, 5, PART, PART + 3)
    made = [await saved(running, job_id, b"x" * size, f"{size}") for size in sizes]
    listed = await client.artifacts(job_id)
    files = [await client.download_artifact(one.id, tmp_path / one.name) for one in listed]
    await client.delete_artifact(made[0].id)

    assert [Artifact] * 4 == [type(one) for one in listed]
    assert [(one.id, one.sha256) for one in made] == [(one.id, one.sha256) for one in listed]
    assert [b"x" * size for size in sizes] == await _contents(files)
    assert [5, PART] == [len(await client.read_artifact(one.id)) for one in made[1:3]]
    assert sorted(map(str, sizes)) == sorted(path.name for path in await _files(tmp_path))
    with pytest.raises(NotFound):
        await client.download_artifact(made[0].id, tmp_path / "gone")
    with pytest.raises(Refused, match="id"):
        await client.read_artifact("what")
    assert 4 == len(await _files(tmp_path))


async def _contents(paths: Sequence[Path]) -> list[bytes]:
    return [await asyncio.to_thread(path.read_bytes) for path in paths]


async def _files(folder: Path) -> list[Path]:
    return await asyncio.to_thread(lambda: list(folder.iterdir()))
