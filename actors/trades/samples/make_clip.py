"""Make clip.mp4, twelve seconds of a day over three hills: `python -m actors.trades.samples.make_clip FILE`.

The same libraries make the same bytes, and a test asks for the same pictures.  Whoever changes it commits the new file.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 12  # longer than any duration that is asked for in the examples
WIDTH, HEIGHT, RATE = 640, 360, 25
SAMPLE_RATE: Final = 44_100
PIECE: Final = 1_024  # samples in a frame of AAC
TONES: Final = (220.0, 277.18, 329.63)  # A major
HILLS: Final = ((0.62, 0.10, 2.1, (96, 140, 110)), (0.74, 0.08, 3.3, (62, 110, 78)), (0.86, 0.06, 4.7, (36, 76, 52)))


def make(path: Path) -> None:
    """Write the film there."""
    import av  # noqa: PLC0415 - a worker that only looks for the file must not load it

    with av.open(str(path), "w", options={"movflags": "+faststart"}) as out:
        out.flags |= 0x400  # bitexact: no dates and versions in the file
        video: Any = out.add_stream("libx264", rate=RATE, options={"crf": "27", "preset": "veryslow", "threads": "1"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio: Any = out.add_stream("aac", rate=SAMPLE_RATE, layout="mono", options={"b": "48000"})
        for number in range(SECONDS * RATE):
            out.mux(video.encode(_picture(number)))
        out.mux(video.encode(None))
        for number in range(SECONDS * SAMPLE_RATE // PIECE):
            out.mux(audio.encode(_sound(number)))
        out.mux(audio.encode(None))


def _picture(number: int) -> Any:
    """The sun rises, crosses the sky and sets."""
    import av  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    part = number / (SECONDS * RATE)
    light = float(np.sin(np.pi * part))
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    down = y / HEIGHT
    sky = np.stack([225 - 125 * light + 30 * down, 125 + 55 * light + 40 * down, 120 + 110 * light - 20 * down])
    sun = np.hypot(x - WIDTH * (0.05 + 0.9 * part), y - HEIGHT * (0.75 - 0.6 * light))
    glow = np.clip(1 - sun / 160, 0, 1) ** 2
    image = sky + glow * np.array([120, 100, 30]).reshape(3, 1, 1)
    image = np.where(sun < 26, np.array([255, 244, 190]).reshape(3, 1, 1), image)
    for height, wave, count, colour in HILLS:
        line = HEIGHT * (height + wave * np.sin(count * x / WIDTH * np.pi + count + part * 0.8 * count))
        image = np.where(y > line, np.array(colour).reshape(3, 1, 1) * (0.45 + 0.55 * light), image)
    pixels = np.clip(image, 0, 255).astype(np.uint8).transpose(1, 2, 0).copy()
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.pts, frame.time_base = number, Fraction(1, RATE)
    return frame


def _sound(number: int) -> Any:
    """A chord that swells and fades with the light."""
    import av  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    at = (np.arange(PIECE) + number * PIECE) / SAMPLE_RATE
    swell = 0.12 * np.sin(np.pi * np.clip(at / SECONDS, 0, 1))
    wave = sum(np.sin(2 * np.pi * tone * at) for tone in TONES) * swell
    frame = av.AudioFrame.from_ndarray(wave.astype(np.float32).reshape(1, -1), format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, number * PIECE, Fraction(1, SAMPLE_RATE)
    return frame


if __name__ == "__main__":
    make(Path(sys.argv[1]))
