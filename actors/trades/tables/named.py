"""How a payload names a dataset, as far as a door can judge it, which sees none of the worker's folders.

Without a folder in `WARREN_DATASETS` a dataset is an artifact, an address or a sample, and any other name is refused
before there is a job.  With folders, whose files come and go, only the spelling is: the job says what is not there.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from actors.configured import configured
from actors.trades.inputs.spelling import ADDRESS, ARTIFACT, SAMPLES
from actors.trades.samples.found import SALES
from wire.slices.datasets import Datasets

STEP: Final = r"[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,199}"  # no hidden files, no `..`
FILE: Final = f"(?!sample:){STEP}(/{STEP})*"
PROBLEM: Final = "is not the name of a dataset, the id of an artifact or an http(s) URL"
NO_FOLDERS: Final = f"{SALES} is one; files of the worker's are known by name if WARREN_DATASETS names their folder"


def _as_there_are_folders(schema: dict[str, Any]) -> None:
    """Known when the type is registered."""
    folders = configured(Datasets).datasets
    said = {"pattern": f"^({ARTIFACT}|{ADDRESS}|{SAMPLES}|{FILE if folders else SALES})$", "x-problem": PROBLEM}
    schema["allOf"] = [said if folders else {**said, "x-remedy": NO_FOLDERS}]


Dataset = Annotated[str, Field(min_length=1, max_length=8_192, json_schema_extra=_as_there_are_folders)]
