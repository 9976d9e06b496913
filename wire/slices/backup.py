"""The settings of `backup_task` and of `warren restore`: the key, the places, the programs.

A place is where backups may go, and it may stand for another: `s3://backups/=/srv/backups/` keeps in a folder what is
asked to go to that bucket, which is how a Warren without an object store does what it is asked to.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from pydantic import Field, SecretStr, field_validator

from wire.slices import Slice, Words, also

_CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_KEY: Final = re.compile(rf"AGE-SECRET-KEY-1[{_CHARSET.upper()}]{{58}}|age1[{_CHARSET}]{{58}}")
_PLACE: Final = re.compile(r"(file:///|(s3|gs|az)://[\w.-]+/)[^?#=]*", re.ASCII)


class Backup(Slice):
    """What `backup_task` keeps where, and what opens it; read by the workers and by `warren restore`."""

    key: SecretStr = Field(
        SecretStr(""), description="age key that encrypts backups: a secret one, AGE-SECRET-KEY-1…, opens them again; "
        "with the public one, age1…, a worker can make backups and not read them",
        validation_alias=also("BACKUP_KEY"),
    )  # fmt: skip
    places: Words = Field(
        (), description="Where backups may go, separated by commas: folders, file://, s3://, gs://, az://; "
        "`place=other` keeps at the other what is asked to go to the place",
        examples=["s3://backups/=/srv/backups/,s3://company-backups/warren/"], validation_alias=also("BACKUP_PLACES"),
    )  # fmt: skip
    folders: Words = Field(
        (), description="Folders that jobs may back up, separated by commas", examples=["/srv/app/uploads"],
        validation_alias=also("BACKUP_FOLDERS"),
    )  # fmt: skip
    programs: str = Field(
        "", description="Folder of pg_dump and pg_restore; without one they are looked for in the usual places",
        examples=["/usr/lib/postgresql/17/bin"], validation_alias=also("BACKUP_PROGRAMS"),
    )  # fmt: skip

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not _KEY.fullmatch(value.get_secret_value()):
            raise ValueError("must be a key of age: AGE-SECRET-KEY-1… or age1…, as `age-keygen` makes them")
        return value

    @field_validator("places")
    @classmethod
    def _are_places(cls, value: Words) -> Words:
        for word in value:
            for place in word.split("=", 1):
                spelt(place)
        return value

    @field_validator("folders")
    @classmethod
    def _are_folders(cls, value: Words) -> Words:
        for folder in value:
            if not folder.startswith("/") or {".", ".."} & set(folder.split("/")):
                raise ValueError(f"{folder!r} is not a folder's absolute path")
        return value

    @property
    def standing(self) -> dict[str, str]:
        """Each place and where it lies, both with a slash at the end."""
        words = (word.partition("=") for word in self.places)
        return {spelt(place): spelt(other or place) for place, _, other in words}


def spelt(place: str) -> str:
    """A place's one spelling, or ValueError: a URL with a slash at the end."""
    url = f"file://{place}" if place.startswith("/") else place
    url = url if url.endswith("/") else f"{url}/"
    if not _PLACE.fullmatch(url) or {".", ".."} & set(unquote(url).split("/")):
        raise ValueError(f"{place!r} is not a folder's absolute path, file:///…, s3://bucket/…, gs://… or az://…")
    return url
