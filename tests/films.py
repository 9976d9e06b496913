"""Films for tests, small and quickly made: each argument is one way in which a film can be odd."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

CLOCK: Final = 90_000
RATE: Final = 10


@dataclass(frozen=True)
class Seen:
    """What was found in a film: the times and sizes of its pictures, and the seconds of its sound."""

    times: list[float]
    sizes: set[tuple[int, int]]
    sound_seconds: float
    sound_rate: int | None
    corners: list[tuple[int, int, int]]  # of each picture, top left


def film(
    path: Path,
    *,
    times: Iterable[float] | None = None,
    seconds: float = 2.0,
    size: tuple[int, int] = (64, 48),
    sound: tuple[int, str] | None = (44_100, "stereo"),
    codec: str = "libx264",
    takes: str = "yuv420p",
    rotation: int = 0,
    shape: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A red picture with a green top left quarter, and a tone."""
    with av.open(str(path), "w", options=options or {}) as out:
        video: Any = out.add_stream(codec, rate=RATE) if codec else None
        if video:
            video.width, video.height, video.pix_fmt = *size, takes
            video.codec_context.time_base = Fraction(1, CLOCK if codec not in ("mpeg4", "mjpeg", "gif") else RATE)
            if shape:
                video.codec_context.sample_aspect_ratio = shape
            if rotation:
                video.set_display_rotation(rotation)
        audio: Any = out.add_stream(_sound_codec(path), rate=sound[0], layout=sound[1]) if sound else None
        chosen = [n / RATE for n in range(round(seconds * RATE))] if times is None else list(times)
        for at in chosen if video else ():
            out.mux(video.encode(_picture(size, at, video.codec_context.time_base)))
        if video:
            out.mux(video.encode(None))
        if audio and sound:
            for number in range(round(seconds * sound[0] / 1_024)):
                out.mux(audio.encode(_tone(number, *sound)))
            out.mux(audio.encode(None))
    return path


def seen(path: Path) -> Seen:
    """Decode all of it."""
    times, sizes, corners, sound, rate = [], set(), [], 0.0, None
    with av.open(str(path)) as found:
        for frame in found.decode(*found.streams.video, *found.streams.audio):
            if isinstance(frame, av.VideoFrame):
                times.append(round(float(frame.time), 3))
                sizes.add((frame.width, frame.height))
                pixels = frame.to_ndarray(format="rgb24")
                corners.append(tuple(int(one) for one in pixels[frame.height // 8, frame.width // 8]))
            elif isinstance(frame, av.AudioFrame):
                sound, rate = sound + frame.samples / frame.sample_rate, frame.sample_rate
    return Seen(times, sizes, round(sound, 3), rate, corners)


def joined(path: Path, parts: Sequence[Path]) -> Path:
    """One after the other, as transport streams may be."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def _sound_codec(path: Path) -> str:
    return {".webm": "libopus", ".wav": "pcm_s16le", ".mp3": "libmp3lame", ".avi": "libmp3lame"}.get(path.suffix, "aac")


def _picture(size: tuple[int, int], at: float, base: Fraction) -> Any:
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, :, 0] = 200
    pixels[: height // 2, : width // 2] = (0, 200, 0)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.pts, frame.time_base = round(at / base), base
    return frame


def _tone(number: int, rate: int, layout: str) -> Any:
    at = (np.arange(1_024) + number * 1_024) / rate
    wave = (0.2 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
    channels = 1 if layout == "mono" else 2
    frame = av.AudioFrame.from_ndarray(np.stack([wave] * channels), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, number * 1_024, Fraction(1, rate)
    return frame
