"""Bring what a payload names: `sample:<name>`, an http(s) URL, or the id of an artifact.

Never a path: which files of this machine a job may read is for its settings to say, not for who submits it.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

from actors.context import context
from actors.ends import PermanentError
from actors.scratch import file_name
from actors.trades.outbound.document import Document
from actors.trades.outbound.failures import TooLarge
from actors.trades.outbound.fetch import fetch
from actors.trades.politeness.accepted import accept
from wire.errors import Refused

SAMPLE: Final = "sample:"
SECONDS: Final = 3_600.0  # for a whole download; the job's own timeout is nearly always nearer
NO_SOURCE: Final = "is not the id of an artifact, an http(s) URL, or sample:<name>"


async def bring(source: str, *, most_bytes: int, field: str) -> Path:
    """The file; PermanentError for what will never be one, any other error for what may be had later."""
    if source.startswith(SAMPLE):
        return shipped(source.removeprefix(SAMPLE), field)
    if source.lower().startswith(("http://", "https://")):
        return await _downloaded(source, most_bytes, field)
    if is_artifact(source):
        return await context().read_artifact(source, field=field, most_bytes=most_bytes)
    raise PermanentError(f"{field}: {source[:200]!r} {NO_SOURCE}")


def shipped(name: str, field: str) -> Path:
    """A sample that Warren comes with."""
    from actors.trades.samples import sample  # noqa: PLC0415 - few jobs want one

    try:
        return sample(name, context().scratch())
    except Refused as e:
        raise PermanentError(f"{field}: {e.problem}; {e.remedy}") from None


def is_artifact(source: str) -> bool:
    """Whether it is written as an artifact's id is."""
    try:
        return str(UUID(source)) == source.lower()
    except ValueError:
        return False


async def _downloaded(url: str, most_bytes: int, field: str) -> Path:
    folder = context().scratch() / str(uuid4())
    folder.mkdir(0o700)
    half = folder / "download"
    try:
        document = await fetch(url, most_bytes=most_bytes, seconds=SECONDS, into=half)
    except TooLarge as e:
        raise PermanentError(f"{field}: {str(e).removesuffix(' (WARREN_OUTBOUND_MAX_BYTES)')}") from None
    except PermanentError as e:
        raise PermanentError(f"{field}: {e}") from None
    try:
        accept(document)
    except PermanentError as e:
        raise PermanentError(f"{field}: {e}") from None
    if document.status != 200:
        raise PermanentError(f"{field}: the answer has status {document.status} and is no file")
    return half.replace(folder / _name(document))


def _name(document: Document) -> str:
    """By the address that it came from; an ending, which tells what it is, by its type where the address has none."""
    name = file_name(unquote(urlsplit(document.final_url).path).rstrip("/").rpartition("/")[2])
    if not Path(name).suffix:
        said = document.headers.get("content-type", "").partition(";")[0].strip().lower()
        name += mimetypes.guess_extension(said) or ""
    return f"_{name}" if name == "download" else name
