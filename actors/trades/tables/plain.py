"""Unpack a file and make UTF-8 of it: the engine reads nothing else, and unpacks without a bound.

What was never packed and is UTF-8 already is looked through and left where it is.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

import zstandard

from actors.ends import PermanentError
from actors.trades.reading.encodings import DOCUMENTS, decode

PIECE: Final = 1024 * 1024
ZSTD_WINDOW: Final = 128 * 1024 * 1024  # what `zstd --long` asks for; frames may ask for gigabytes
UNPACKED: Final = {
    b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "7z", b"\xd0\xcf\x11\xe0": "old Office", b"%PDF": "PDF",
}  # fmt: skip
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """A file in UTF-8."""

    path: Path
    encoding: str  # that it was in
    lines: int


class Unpacker:
    """For the files of one job."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes

    def unpacked(self, path: Path, field: str) -> Path:
        """The same file, not packed any more."""
        with path.open("rb") as file:
            head = file.read(8)
        if not head:
            raise PermanentError(f"{field}: {path.name} is empty")
        kind = next((kind for magic, kind in UNPACKED.items() if head.startswith(magic)), None)
        if kind is None:
            return path
        if kind not in ("gzip", "zstd"):
            raise PermanentError(
                f"{field}: {path.name} is a {kind} file; give CSV, JSON or Parquet, plain, .gz or .zst"
            )
        out = self._new(path.stem)
        try:
            with path.open("rb") as packed, _reader(kind, packed) as unpacking, out.open("xb") as file:
                self._copy(unpacking, file, path, field)
        except (EOFError, OSError, zlib.error, zstandard.ZstdError) as e:
            raise PermanentError(f"{field}: {path.name} cannot be unpacked: {str(e)[:200]}") from None
        return out

    def text(self, path: Path, encoding: str | None, field: str) -> Text:
        """The same file in UTF-8, without a mark at its begin."""
        marked, skip = _marked(path)
        said = marked or _known(encoding)
        if said in (None, "utf-8"):
            with contextlib.suppress(UnicodeDecodeError):
                lines = _looked_through(path, skip, field)
                return Text(self._without_mark(path, skip), "utf-8", lines)
            if said:
                raise PermanentError(f"{field}: {path.name} is not all UTF-8; say its `encoding`")
            said = _guessed(path, field)
        return self._recoded(path, said, skip, field)

    def _recoded(self, path: Path, encoding: str, skip: int, field: str) -> Text:
        out, lines, coder = self._new(path.name), 0, codecs.getincrementaldecoder(encoding)()
        try:
            with out.open("xb") as file:
                for piece in _pieces(path, skip):
                    text = coder.decode(piece).encode()
                    lines += text.count(b"\n")
                    file.write(text)
                file.write(coder.decode(b"", final=True).encode())
        except UnicodeError as e:
            reason = e.reason if isinstance(e, UnicodeDecodeError) else str(e)
            raise PermanentError(f"{field}: {path.name} is not all {encoding}: {reason}; say its `encoding`") from None
        return Text(out, encoding, lines + 1)

    def _without_mark(self, path: Path, skip: int) -> Path:
        if not skip:
            return path
        out = self._new(path.name)
        with out.open("xb") as file:
            for piece in _pieces(path, skip):
                file.write(piece)
        return out

    def _copy(self, unpacking: io.BufferedIOBase, file: BinaryIO, path: Path, field: str) -> None:
        size = 0
        while piece := unpacking.read(PIECE):
            size += len(piece)
            if size > self._most:
                most = f"{self._most} bytes; no more are taken (WARREN_DATASET_MAX_BYTES)"
                raise PermanentError(f"{field}: {path.name} unpacks to more than {most}")
            file.write(piece)
        if not size:
            raise PermanentError(f"{field}: {path.name} is empty")

    def _new(self, name: str) -> Path:
        folder = self._folder / str(uuid4())
        folder.mkdir(0o700)
        return folder / name


@contextlib.contextmanager
def _reader(kind: str, packed: BinaryIO) -> Iterator[io.BufferedIOBase]:
    if kind == "gzip":
        with gzip.GzipFile(fileobj=packed) as file:
            yield file
    else:
        unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        with unpacker.stream_reader(packed, read_across_frames=True) as stream:
            yield stream  # type: ignore[misc]


def _pieces(path: Path, skip: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(skip)
        while piece := file.read(PIECE):
            yield piece


def _refuse_binary(piece: bytes, path: Path, field: str) -> None:
    if b"\0" in piece:
        raise PermanentError(f"{field}: {path.name} holds NUL bytes: it is no text, and no Parquet either")


def _looked_through(path: Path, skip: int, field: str) -> int:
    """How many lines it has, if it is all UTF-8."""
    coder, lines, last = codecs.getincrementaldecoder("utf-8")(), 0, b"\n"
    for piece in _pieces(path, skip):
        coder.decode(piece)
        _refuse_binary(piece, path, field)
        lines += piece.count(b"\n")
        last = piece[-1:]
    coder.decode(b"", final=True)
    return lines + (last != b"\n")


def _marked(path: Path) -> tuple[str | None, int]:
    """The encoding that the file says at its begin, and how many bytes it says it in."""
    with path.open("rb") as file:
        head = file.read(4)
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    if head[1:2] == b"\0" and head[:1] != b"\0":
        return "utf-16-le", 0
    return ("utf-16-be", 0) if head[:1] == b"\0" and head[1:2] != b"\0" else (None, 0)


def _known(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    with contextlib.suppress(LookupError):
        name = codecs.lookup(encoding).name
        if name in DOCUMENTS:
            return name
    raise PermanentError(
        f"payload.parameters.encoding: {encoding!r} is not the name of an encoding; cp1252, iso8859-15 and utf-16 are"
    )


def _guessed(path: Path, field: str) -> str:
    """By the first lines that are not ASCII: names in a table are few among figures."""
    for piece in _pieces(path, 0):
        _refuse_binary(piece, path, field)
        if not piece.isascii():
            return decode(b"\n".join(line for line in piece.split(b"\n") if not line.isascii())).encoding
    return "cp1252"
