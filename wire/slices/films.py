"""The settings of `process_video`: how much of a film is worked on."""

from __future__ import annotations

from pydantic import Field

from wire.slices import Slice


class Films(Slice):
    """How much one film may ask for; read by the workers."""

    video_max_pictures: int = Field(
        1_000_000, ge=1, le=1_000_000_000,
        description="Most pictures that are decoded of one film; at 30 a second a million are nine hours",
    )  # fmt: skip
