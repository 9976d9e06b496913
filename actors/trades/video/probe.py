"""Say of a film what a player will find in it, by reading it to its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av


@dataclass(frozen=True, slots=True)
class Probe:
    """Of a film that we have made ourselves."""

    seconds: float
    frames: int
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None


def probe(path: Path) -> Probe:
    """Count its pictures without decoding them, and believe its container for the rest."""
    with av.open(str(path)) as made:
        videos, audios = made.streams.video, made.streams.audio
        video, audio = next(iter(videos), None), next(iter(audios), None)
        frames = sum(1 for packet in made.demux(video) if packet.size) if video else 0
        return Probe(
            seconds=round((made.duration or 0) / av.time_base, 3),
            frames=frames,
            width=video.codec_context.width if video else None,
            height=video.codec_context.height if video else None,
            video_codec=video.codec_context.codec.canonical_name if video else None,
            audio_codec=audio.codec_context.codec.canonical_name if audio else None,
        )
