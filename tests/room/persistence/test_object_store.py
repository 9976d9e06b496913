"""The object store, over a folder and over an S3 API: whole or not at all, and one word for every trouble."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from persistence.artifacts.object_store import PART, BytesGone, ObjectStore
from tests.eventually import eventually
from tests.journey.stack import ROOT
from tests.s3 import S3, s3_served
from wire.errors import ObjectStoreUnavailable
from wire.slices.artifacts import Artifacts

SMALL, LARGE = b"hello, world", b"0123456789abcdef" * (PART // 16 * 2 + 1000)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_served(tmp_path_factory.mktemp("s3")) as one:
        yield one


class Place:
    """A store, and what it holds as its owner sees it."""

    def __init__(self, settings: Artifacts, held: Callable[[], list[str]]) -> None:
        self.store, self.held = ObjectStore(settings), held


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        folder = tmp_path / "a store"
        return Place(
            Artifacts(artifacts_url=folder.as_uri()),
            lambda: [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()],
        )
    s3: S3 = request.getfixturevalue("s3")
    prefix = f"some/{tmp_path.name}"

    def held() -> list[str]:
        return [key.removeprefix(f"{prefix}/") for key in s3.keys() + s3.half_uploads() if key.startswith(prefix)]

    return Place(s3.settings(prefix), held)


async def pieces_of(content: bytes, size: int = 1_000_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def all_of(store: ObjectStore, key: str, start: int, end: int) -> bytes:
    return b"".join([piece async for piece in store.read(key, start, end)])


@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["nothing", "small", "large"])
async def test_what_is_put_is_read_whole_and_in_parts(place: Place, content: bytes) -> None:
    await place.store.put("2026-11-21/12/a.b", pieces_of(content))

    assert ["2026-11-21/12/a.b"] == place.held()
    assert content == await all_of(place.store, "2026-11-21/12/a.b", 0, len(content))
    assert content[3:9] == await all_of(place.store, "2026-11-21/12/a.b", 3, min(9, len(content)))


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
async def test_content_that_fails_leaves_nothing_and_its_error_goes_through(place: Place, content: bytes) -> None:
    async def breaks_off() -> AsyncIterator[bytes]:
        async for piece in pieces_of(content):
            yield piece
        raise OSError("the camera is gone")

    with pytest.raises(OSError, match=r"^the camera is gone$"):
        await place.store.put("a", breaks_off())
    await eventually(lambda: not place.held())


async def test_an_upload_that_is_cut_off_leaves_nothing_not_even_parts(place: Place) -> None:
    begun = asyncio.Event()

    async def hangs() -> AsyncIterator[bytes]:
        yield LARGE
        yield LARGE
        begun.set()
        await asyncio.Event().wait()

    uploading = asyncio.create_task(place.store.put("a", hangs()))
    await begun.wait()
    await eventually(place.held)
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading

    await eventually(lambda: not place.held())


async def test_what_is_deleted_is_gone_and_what_is_not_there_may_be_deleted(place: Place) -> None:
    for key in ("x/a", "x/b", "x/c"):
        await place.store.put(key, pieces_of(SMALL))
    await place.store.delete(["x/a", "x/none", "x/b"])
    await place.store.delete(["x/a"])
    await place.store.delete([])

    assert ["x/c"] == place.held()
    with pytest.raises(BytesGone):
        await all_of(place.store, "x/a", 0, 3)


async def test_a_store_that_is_away_is_unavailable_in_one_line_without_keys(tmp_path: Path, s3: S3) -> None:
    not_a_folder = tmp_path / "file"
    not_a_folder.write_text("in the way")
    nobody_listens = s3.settings(artifacts_timeout_seconds=0.5).model_copy(
        update={"artifacts_endpoint": "http://127.0.0.1:9"}
    )
    no_bucket = s3.settings().model_copy(update={"artifacts_url": "s3://another-bucket"})
    said = []
    for settings in (Artifacts(artifacts_url=str(not_a_folder / "x")), nobody_listens, no_bucket):
        with pytest.raises(ObjectStoreUnavailable) as e:
            await ObjectStore(settings).put("a", pieces_of(SMALL))
        with pytest.raises(ObjectStoreUnavailable):
            await ObjectStore(settings).put("a", pieces_of(LARGE))
        said.append(str(e.value))

    assert [] == [text for text in said if "\n" in text or "hunter2" in text or "AKIATEST" in text]
    assert ["in /", "s3://bucket", "s3://another-bucket"] == [
        word for text, word in zip(said, ("in /", "s3://bucket", "s3://another-bucket"), strict=True) if word in text
    ]


STORES = """
import asyncio, resource, sys
from persistence.artifacts.object_store import ObjectStore
from wire.slices.artifacts import Artifacts
from wire.errors import ObjectStoreUnavailable

async def pieces():
    yield b"x" * 11_000_000
    if sys.argv[2] == "full":
        return
    print("writing", flush=True)
    await asyncio.Event().wait()

if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
async def main():
    store = ObjectStore(Artifacts(artifacts_url=sys.argv[1]))
    try:
        await store.put("2026/a", pieces())
    except ObjectStoreUnavailable as e:
        print(e)
    await store.stop()

asyncio.run(main())
"""


def stores(folder: Path, how: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", STORES, str(folder / "store"), how]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_a_disk_that_takes_no_more_is_a_store_that_is_away(tmp_path: Path) -> None:
    with stores(tmp_path, "full") as process:
        said, _ = process.communicate()

    assert said.startswith(b"the object store in /")
    assert [] == files(tmp_path)


def test_what_a_killed_process_was_writing_goes_with_its_key(tmp_path: Path) -> None:
    with stores(tmp_path, "killed") as process:
        assert process.stdout is not None
        assert b"writing\n" == process.stdout.readline()
        asyncio.run(eventually(lambda: files(tmp_path)))
        process.send_signal(signal.SIGKILL)
    left = files(tmp_path)
    asyncio.run(ObjectStore(Artifacts(artifacts_url=str(tmp_path / "store"))).delete(["2026/a"]))

    assert (["a#1"], []) == (left, files(tmp_path))
