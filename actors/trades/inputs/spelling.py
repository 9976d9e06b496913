"""How a payload spells what it wants brought, as patterns of a schema: what is not spelt so is refused at the door."""

from __future__ import annotations

from typing import Final

from actors.trades.folders import any_of
from actors.trades.samples.found import KNOWN

ARTIFACT: Final = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ADDRESS: Final = r"[hH][tT][tT][pP][sS]?://\S+"
SAMPLES: Final = f"sample:({any_of(KNOWN)})"
