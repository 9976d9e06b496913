"""The work that everybody here does: 200 bytes of payload, nothing to do, and a note of when that began.

The note is a line in a file, the same for all; a job of a drain carries no moment and writes none.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, Final

PAYLOAD_BYTES: Final = 200
STARTS: Final = "BENCH_STARTS"  # the environment's name for the file


def payload(**fields: float) -> dict[str, Any]:
    """What a job carries; whatever it says, it is as long."""
    frame = {"message": "", **fields}
    return {**frame, "message": "x" * (PAYLOAD_BYTES - len(encoded(frame)))}


def timed() -> dict[str, Any]:
    """With the moment at which it was sent."""
    return payload(sent=time.time())


def encoded(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, separators=(",", ":")).encode()


def begin(payload: dict[str, Any]) -> None:
    """All that a job does."""
    if "sent" in payload:
        with open(os.environ[STARTS], "a") as file:
            file.write(f"{time.time() - payload['sent']:.6f}\n")
