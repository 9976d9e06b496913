"""Where a backup goes: to the places that a setting names, or to what stands in for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from actors.ends import PermanentError
from actors.trades.folders import any_of
from wire.slices.backup import Backup, spelt

SETTING: Final = "WARREN_BACKUP_PLACES"
OUTSIDE: Final = "is in none of the places for backups"
_STEP: Final = re.compile(r"[\w.+@-][\w.+@ -]{0,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    asked: str  # with a slash at its end
    lies: str  # the same where nothing stands in for it

    def of(self, name: str) -> str:
        return f"{self.lies}{name}"


def place(destination: str, settings: Backup) -> Place:
    """Where it is, or PermanentError."""
    try:
        asked = spelt(destination)
    except ValueError:
        raise PermanentError(
            "payload.destination: is no place; write s3://bucket/prefix/, gs://…, az://… or file:///folder/"
        ) from None
    for known, lies in sorted(settings.standing.items(), key=lambda pair: -len(pair[0])):
        if asked.startswith(known):
            return Place(asked, lies + _checked(asked[len(known) :]))
    raise PermanentError(f"payload.destination: {OUTSIDE}; {_known(settings)}")


def schema(settings: Backup) -> dict[str, Any]:
    """The same for the doors, which answer before there is a job."""
    spellings = [one for known in settings.standing for one in (known, known.removeprefix("file://"))]
    pattern = rf"^(?!.*/\.\.?(/|$))({any_of(one.rstrip('/') for one in spellings)})(/|$)"
    return {"allOf": [{"pattern": pattern, "x-problem": OUTSIDE, "x-remedy": _known(settings)}]}


def _known(settings: Backup) -> str:
    return f"{SETTING} names {', '.join(settings.standing) or 'none'}"


def _checked(rest: str) -> str:
    """What a payload adds to a place is folders with plain names."""
    for step in rest.rstrip("/").split("/") if rest else ():
        if not _STEP.fullmatch(step) or step in (".", ".."):
            raise PermanentError(f"payload.destination: {step[:50]!r} is no plain name of a folder")
    return rest
