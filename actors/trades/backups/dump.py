"""A database as a source: what pg_dump says, in its own format, which pg_restore reads as it comes.

It sees one moment of the database, whatever jobs do meanwhile, and holds up nobody but a migration.
"""

from __future__ import annotations

import subprocess
import tempfile
from typing import IO, Final

from actors.trades.backups.programs import environment, program
from wire.masks import mask_text

MOST_WORDS: Final = 500
LOCKED: Final = "30s"  # longer than a migration's statements, shorter than anybody's patience


class DumpFailed(Exception):
    """pg_dump has said why; another attempt may fare better."""


class Dump:
    """Started when it is made."""

    extension = "pgdump"

    def __init__(self, url: str, major: int, folder: str) -> None:
        words = [program("pg_dump", major, folder), "--format=custom", "--compress=0", f"--lock-wait-timeout={LOCKED}"]
        self.left = list[str]()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the source
        self._process = subprocess.Popen(  # noqa: S603 - a program of Postgres
            [*words, "--no-password"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._said,
            env=environment(url),
        )  # fmt: skip

    def read(self, size: int = -1) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.read(size)

    def finish(self) -> None:
        """An end of its words is not the end of the dump: only its exit says so."""
        code = self._process.wait()
        if code:
            raise DumpFailed(f"pg_dump ended with {code}: {words(self._said)}")

    def stop(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._said.close()


def words(file: IO[bytes]) -> str:
    """What a program of Postgres has said, without what it must not."""
    file.seek(0)
    text = file.read(8_192).decode(errors="replace")
    return mask_text(" ".join(text.split()))[:MOST_WORDS] or "it did not say why"
