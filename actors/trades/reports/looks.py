"""How a report may look: the templates that there are, ours and those in the folder of `WARREN_REPORT_TEMPLATES`.

A worker tells the doors which it has when it registers the type, so an unknown one is refused before there is a job.
One that is put into the folder later is known to the doors when a worker has started anew.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from actors.configured import configured
from actors.ends import PermanentError
from wire.slices.reports import Reports

NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,63}$"
OURS: Final = Path(__file__).with_name("templates")
ENDING: Final = ".html"


def known(folder: str) -> list[str]:
    """The names of all templates that a report may ask for; those that others are made of begin with a `_`."""
    places = [OURS, *([Path(folder)] if folder else [])]
    found = {path.stem for place in places if place.is_dir() for path in place.glob(f"*{ENDING}")}
    return sorted(name for name in found if re.match(NAME, name))


def checked(template: str, folder: str) -> str:
    """A name of one that there is, or PermanentError with those that there are."""
    names = known(folder)
    if template in names:
        return template
    raise PermanentError(f"payload.template: there is no template {template[:64]!r}; there are {', '.join(names)}")


def _of_those_that_there_are(schema: dict[str, Any]) -> None:
    names = known(configured(Reports).report_templates)
    schema |= {"enum": names, "x-problem": "is not a template that there is", "x-remedy": f"known: {', '.join(names)}"}


TemplateName = Annotated[str, Field(max_length=64, pattern=NAME, json_schema_extra=_of_those_that_there_are)]
