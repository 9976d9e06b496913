"""Find a sample by its name.

Refuses to write what has to be made anywhere but into the folder that it is given, or the scratch folder of the job.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from actors.context import context
from actors.trades.samples.sales import write_sales
from wire.errors import Refused

CLIP: Final = "clip"
SALES: Final = "sales_data"
KNOWN: Final = (CLIP, SALES)


def sample(name: str, folder: Path | None = None) -> Path:
    """Where this sample lies; one that has to be made is made in this folder, or in that of the job in hand."""
    if name == CLIP:
        return Path(__file__).with_name("clip.mp4")
    if name == SALES:
        path = (folder or context().scratch()) / "sales_data.csv"
        write_sales(path, datetime.now(UTC).date())
        return path
    raise Refused("sample", f"there is no sample named {name!r}", f"known: {', '.join(KNOWN)}", code="not_found")
