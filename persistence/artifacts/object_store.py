"""Where the bytes of artifacts are: a folder, S3 or what speaks its language, Google's or Microsoft's store.

An object appears whole or not at all, whatever dies meanwhile.  In a folder it is on the disk when `put` returns: a
job may not be recorded as completed over bytes that a power cut would take.  Every call has a deadline; whatever goes
wrong on the other side is `ObjectStoreUnavailable`, in one line and without keys.

The library is loaded with the first call, for it takes 6 MB that a worker whose jobs save nothing does without, and
because a worker process forks before that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from wire.errors import ObjectStoreUnavailable
from wire.masks import mask_text
from wire.slices.artifacts import Artifacts

PART: Final = 5 * 1024 * 1024  # the least that S3 takes as a part of an upload; smaller objects are sent whole
PARTS_AT_ONCE: Final = 2  # of one upload: so many are held in memory
BLOCK: Final = 1024 * 1024
DELETED_AT_ONCE: Final = 1_000  # the most that S3 takes
REST_SECONDS: Final = 0.05  # a few milliseconds are enough on an idle machine; measured with obstore 0.12
HALVES: Final = range(1, 4)  # a key is written once, so there is but the first; and two for good measure
FORGET_SECONDS: Final = 5.0  # an upload is cut off where a job is, which should end soon
READ: Final = 1024 * 1024  # a slow reader holds no connection to the store, only a piece of this size
MOST_WORDS: Final = 300


_Handed = asyncio.Queue[bytes | Exception | None]


class _CutOff(Exception):
    """Whoever was storing these bytes has gone."""


class BytesGone(ObjectStoreUnavailable):
    """The row is there and its bytes are not: another store, or somebody has deleted them behind our back."""


@dataclass(frozen=True, slots=True)
class Held:
    """An object that is there."""

    key: str
    size_bytes: int


class ObjectStore:
    """One a process."""

    def __init__(self, settings: Artifacts, *, part: int = PART) -> None:
        self._settings, self._seconds, self._part = settings, settings.artifacts_timeout_seconds, part
        self.folder = _folder(settings.place)
        self._opened: Any = None

    async def start(self) -> None:
        """Nothing to wait for: it is opened by whoever needs it first."""

    async def stop(self) -> None:
        """Let the library's threads come to rest: one that still lets go of an answer would abort a process's end."""
        if self._opened is not None:
            await asyncio.sleep(REST_SECONDS)

    async def put(self, key: str, content: AsyncIterable[bytes]) -> None:
        """Have all of it stored under this key, or raise and have nothing; what the content raises goes through."""
        pieces = aiter(content)
        head, ended = await _head(pieces)
        if ended:
            with self._speaking():
                async with asyncio.timeout(self._seconds):
                    await _library().put_async(self._store(), key, head, use_multipart=False)
        else:
            await self._put_in_parts(key, head, pieces)
        if self.folder:
            with self._speaking():
                await asyncio.to_thread(_sync, self.folder / key)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, in pieces."""
        for at in range(start, end, READ):
            try:
                with self._speaking(but=FileNotFoundError):
                    async with asyncio.timeout(self._seconds):
                        piece = await _library().get_range_async(self._store(), key, start=at, end=min(at + READ, end))
            except FileNotFoundError as e:
                raise BytesGone(_words(e)) from e
            yield bytes(piece)

    async def delete(self, keys: Sequence[str]) -> None:
        """Have nothing under these keys, whatever was there; half an upload of a process that was killed too."""
        if self._settings.place.startswith("s3://"):
            for start in range(0, len(keys), DELETED_AT_ONCE):
                await self._delete(list(keys[start : start + DELETED_AT_ONCE]))
            return
        for key in keys:
            with contextlib.suppress(FileNotFoundError):
                await self._delete(key)
            if self.folder:
                await asyncio.to_thread(_delete_halves, self.folder / key)

    async def held(self) -> list[Held]:
        """What lies here, and not in what would be a folder below."""
        with self._speaking():
            async with asyncio.timeout(self._seconds):
                found = await _library().list_with_delimiter_async(self._store())
        return [Held(str(one["path"]), int(one["size"])) for one in found["objects"]]

    async def _delete(self, what: str | list[str]) -> None:
        with self._speaking(but=FileNotFoundError):
            async with asyncio.timeout(self._seconds):
                await _library().delete_async(self._store(), what)

    async def _put_in_parts(self, key: str, head: bytes, pieces: AsyncIterator[bytes]) -> None:
        """Whoever is interrupted here, or whose content fails, sees to it that the other side forgets the parts."""
        handed = _Handed(1)
        with self._speaking():
            storing: asyncio.Future[Any] = asyncio.ensure_future(
                _library().put_async(
                    self._store(), key, _handed_over(handed), chunk_size=self._part, max_concurrency=PARTS_AT_ONCE
                )
            )
        try:
            await self._hand(handed, head, storing)
            async for block in _blocks(pieces):
                await self._hand(handed, block, storing)
            await self._hand(handed, None, storing)
            with self._speaking():
                async with asyncio.timeout(self._seconds):
                    await asyncio.shield(storing)
        except BaseException:
            await self._forget(handed, storing)
            raise

    async def _hand(self, handed: _Handed, block: bytes | None, storing: asyncio.Future[Any]) -> None:
        """Give it the next block, or raise what has become of it: with the store away nobody takes one."""
        giving = asyncio.ensure_future(handed.put(block))
        try:
            await asyncio.wait({giving, storing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            giving.cancel()
        if storing.done() and block is not None:
            with self._speaking():
                storing.result()

    async def _forget(self, handed: _Handed, storing: asyncio.Future[Any]) -> None:
        """An upload that is cut off leaves its parts with S3, unseen and paid for; one that fails takes them along."""
        while not handed.empty():
            handed.get_nowait()
        handed.put_nowait(_CutOff())
        with contextlib.suppress(Exception):
            async with asyncio.timeout(min(self._seconds, FORGET_SECONDS)):
                await asyncio.shield(storing)
        storing.cancel()

    def _store(self) -> Any:
        if self._opened is None:
            self._opened = _open(self._settings, self.folder)
        return self._opened

    @contextlib.contextmanager
    def _speaking(self, *, but: type[Exception] | tuple[()] = ()) -> Iterator[None]:
        """What the other side says, in our words; `but` goes through as it is."""
        try:
            yield
        except but:
            raise
        except (TimeoutError, OSError, ValueError, _library().exceptions.BaseError) as e:
            raise ObjectStoreUnavailable(f"the object store {self._name} is away: {_words(e)}") from e

    @property
    def _name(self) -> str:
        return f"in {self.folder}" if self.folder else self._settings.place


def _library() -> Any:
    import obstore  # noqa: PLC0415 - see above

    return obstore


def _folder(place: str) -> Path | None:
    scheme, separator, rest = place.partition("://")
    if not separator:
        return Path(place).absolute()
    return Path(unquote(rest)) if scheme == "file" else None


def _open(settings: Artifacts, folder: Path | None) -> Any:
    from obstore.store import LocalStore, from_url  # noqa: PLC0415 - see above

    if folder:
        return LocalStore(folder, automatic_cleanup=True, mkdir=True)
    seconds = timedelta(seconds=settings.artifacts_timeout_seconds)
    client: dict[str, Any] = {"connect_timeout": min(seconds, timedelta(seconds=5)), "timeout": seconds}
    retries: dict[str, Any] = {"max_retries": 5, "retry_timeout": seconds}
    config: dict[str, Any] = {}
    if settings.place.startswith("s3://"):
        config = _of_s3(settings)
        client["allow_http"] = settings.endpoint.startswith("http://")
    opened: Any = from_url  # each store has types of its own for what they all take
    return opened(settings.place, config=config, client_options=client, retry_config=retries)


def _of_s3(settings: Artifacts) -> dict[str, Any]:
    said = {
        "region": settings.artifacts_region,
        "endpoint": settings.endpoint,
        "access_key_id": settings.artifacts_access_key.get_secret_value(),
        "secret_access_key": settings.artifacts_secret_key.get_secret_value(),
        "session_token": settings.artifacts_session_token.get_secret_value(),
    }
    return {name: value for name, value in said.items() if value}


async def _head(pieces: AsyncIterator[bytes]) -> tuple[bytes, bool]:
    """The first bytes, and whether they are all."""
    found, size = list[bytes](), 0
    async for piece in pieces:
        found.append(piece)
        size += len(piece)
        if size > PART:
            return b"".join(found), False
    return found[0] if len(found) == 1 else b"".join(found), True


async def _blocks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces that are worth handing over."""
    block = bytearray()
    async for piece in pieces:
        block += piece
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


async def _handed_over(handed: _Handed) -> AsyncIterator[bytes]:
    while (block := await handed.get()) is not None:
        if isinstance(block, Exception):
            raise block
        yield block


def _sync(file: Path) -> None:
    """Have a file and its name on the disk."""
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _delete_halves(file: Path) -> None:
    """What the library leaves beside a file that it was writing when its process was killed.

    Asked for by name: to look through an hour's folder for each file would take longer with every file in it.
    """
    for number in HALVES:
        file.with_name(f"{file.name}#{number}").unlink(missing_ok=True)


def _words(error: Exception) -> str:
    """The first line of what was said; those that follow are for the library's own authors."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    said = str(error).strip().partition("\n")[0].partition(": <?xml")[0] or type(error).__name__
    return mask_text(said)[:MOST_WORDS]
