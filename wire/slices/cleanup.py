"""The settings of `cleanup_task`: where jobs may delete, which is nowhere that nobody has named."""

from __future__ import annotations

import os.path

from pydantic import Field, field_validator

from wire.slices import Slice, Words, also


class Cleanup(Slice):
    """Where `cleanup_task` may delete; read by the workers."""

    roots: Words = Field(
        ("/tmp/application_cache",),  # noqa: S108 - a place to clear, not one to write in
        description="Folders in which jobs may delete, separated by commas; nothing outside of them is touched",
        examples=["/srv/app/cache,/srv/app/logs"], validation_alias=also("CLEANUP_ROOTS"),
    )  # fmt: skip

    @field_validator("roots")
    @classmethod
    def _are_folders(cls, value: Words) -> Words:
        for root in value:
            plain = os.path.normpath(root)
            if not root.startswith("/") or plain != (root.rstrip("/") or "/") or "\0" in root:
                raise ValueError(f"{root!r} is not a folder's absolute path, without `.`, `..` and double slashes")
            if plain == "/":
                raise ValueError("/ would be everything that this machine has; name the folders that may be cleared")
        return value
