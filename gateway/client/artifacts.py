"""What a client does with what jobs have left behind: list it, read it, store it as a file, throw it away.

Bytes are asked for in parts, each of which is sent again as any other request is: a gateway that restarts in the middle
of a film costs the part that was on its way.  An artifact never changes, so its parts fit together.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from gateway.client.artifact_replies import Artifact, ArtifactPage
from gateway.client.link import Link, PerhapsGone, path_of
from wire.errors import Refused

ARTIFACTS: Final = "/api/v1/artifacts"
PAGE: Final = 500
PART: Final = 4 * 1024 * 1024


class ArtifactCalls:
    """The calls of a client that are about artifacts."""

    _link: Link

    async def artifacts(self, job_id: UUID | str) -> tuple[Artifact, ...]:
        """All that the job has left behind, oldest first."""
        found: list[Artifact] = []
        said: dict[str, object] = {"limit": PAGE}
        while True:
            body, _ = await self._link.ask("GET", f"{path_of('/api/v1/jobs', job_id)}/artifacts", None, said)
            page = msgspec.json.decode(body, type=ArtifactPage)
            found += page.items
            if page.next_cursor is None:
                return tuple(found)
            said["cursor"] = page.next_cursor

    async def read_artifact(self, artifact_id: UUID | str) -> bytes:
        """All its bytes, in memory."""
        return b"".join([part async for part in self._parts(artifact_id)])

    async def download_artifact(self, artifact_id: UUID | str, to: Path | str) -> Path:
        """Store its bytes as this file, which is there when all of it is."""
        path = Path(to)
        half = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with await asyncio.to_thread(half.open, "wb") as file:
                async for part in self._parts(artifact_id):
                    await asyncio.to_thread(file.write, part)
            await asyncio.to_thread(half.replace, path)
        finally:
            half.unlink(missing_ok=True)
        return path

    async def delete_artifact(self, artifact_id: UUID | str) -> None:
        """Throw it away; what is the result of a job goes with its job alone."""
        with contextlib.suppress(PerhapsGone):
            await self._link.ask("DELETE", path_of(ARTIFACTS, artifact_id))

    async def _parts(self, artifact_id: UUID | str) -> AsyncIterator[bytes]:
        path, at = path_of(ARTIFACTS, artifact_id), 0
        while True:
            try:
                part, whole = await self._link.part(path, at, PART)
            except Refused as e:
                if e.code != "bad_range":
                    raise
                return  # it ends just here
            yield part[at:] if whole else part
            at += len(part)
            if whole or len(part) < PART:
                return
