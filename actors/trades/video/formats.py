"""The formats that a film can be made into: containers, codecs and how much effort each is given.

Chosen for what plays everywhere, and for a speed near that of the film itself on one old core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder, with its options and the kind of frames that it takes."""

    name: str
    takes: str  # pixel or sample format
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Format:
    """One container."""

    name: str
    muxer: str
    content_type: str
    video: Codec | None = None
    audio: Codec | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    sample_rates: tuple[int, ...] = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 8_000)
    most_rate: float | None = None  # pictures a second
    most_width: int | None = None


H264: Final = Codec("libx264", "yuv420p", {"preset": "veryfast", "crf": "23", "threads": "2"})
VP9: Final = Codec(
    "libvpx-vp9", "yuv420p",
    {"deadline": "realtime", "cpu-used": "6", "crf": "33", "b": "0", "row-mt": "1", "threads": "2"},
)  # fmt: skip
AAC: Final = Codec("aac", "fltp", {"b": "128000"})
FASTSTART: Final = {"movflags": "+faststart"}  # a browser plays it before it has all of it

FORMATS: Final[Mapping[str, Format]] = {
    one.name: one
    for one in (
        Format("mp4", "mp4", "video/mp4", H264, AAC, FASTSTART),
        Format("mov", "mov", "video/quicktime", H264, AAC, FASTSTART),
        Format("mkv", "matroska", "video/x-matroska", H264, AAC),
        Format(
            "webm", "webm", "video/webm", VP9, Codec("libopus", "flt", {"b": "96000"}),
            sample_rates=(48_000, 24_000, 16_000, 12_000, 8_000),
        ),
        Format("gif", "gif", "image/gif", Codec("gif", "pal8"), most_rate=12.5, most_width=480),
        Format("mp3", "mp3", "audio/mpeg", audio=Codec("libmp3lame", "fltp", {"b": "160000"})),
        Format("wav", "wav", "audio/wav", audio=Codec("pcm_s16le", "s16")),
    )
}  # fmt: skip
