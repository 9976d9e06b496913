"""The pictures of the result: turned the right way up, with square pixels, at their own times.

No picture is doubled to get an even rate, so a gap of years between two of them costs nothing.  One that does not say
when it is follows the one before it; one that lies before that is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from actors.trades.video.filters import Filters
from actors.trades.video.formats import Format
from actors.trades.video.look import MOST_PIXELS, Picture, check_size

MOST_SIDE: Final = 8_192  # H.264 ends at twice that
CLOCK: Final = 90_000  # ticks a second
EARLY: Final = 0.001  # seconds by which a picture may come too early


class Pictures:
    """One stream of them on its way into a container."""

    def __init__(
        self, out: OutputContainer, form: Format, first: Picture, *, width: int | None, most_pixels: int
    ) -> None:
        assert form.video is not None
        self.width, self.height = fitting(first, width, form.most_width)
        self.source, self.frames, self.at = first.stream, 0, 0.0
        self._first, self._most_pixels = first, most_pixels
        self._paletted = form.video.takes == "pal8"
        self._rate = min(first.rate, Fraction(form.most_rate)) if form.most_rate else first.rate
        self._apart = 1 / form.most_rate if form.most_rate else 0.0  # seconds
        self._due, self._seen = 0.0, first.starts
        stream = out.add_stream(form.video.name, rate=self._rate, options=dict(form.video.options))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, form.video.takes
        stream.codec_context.time_base = Fraction(1, CLOCK)
        stream.codec_context.flags |= Flags.frame_duration
        self._stream, self._last = stream, -1
        sideways = first.rotation in (90, 270)
        self._scaled = (self.height, self.width) if sideways else (self.width, self.height)
        self._filters = Filters(*self._scaled, self._takes, first.rotation, CLOCK, palette=self._paletted)

    def when(self, frame: VideoFrame) -> float:
        """Its second in the source."""
        self._seen = frame.time if frame.time is not None else self._seen + self.lasts(frame)
        return self._seen

    def lasts(self, _: VideoFrame) -> float:
        """Seconds until the next one is due."""
        return float(1 / self._rate)

    def take(self, frame: VideoFrame, at: float) -> Iterator[Packet[VideoStream]]:
        """This picture, so many seconds after the start."""
        check_size(frame.width, frame.height, self._most_pixels)  # each, for it may change half way
        ticks = round(at * CLOCK)
        if ticks <= self._last or at < self._due - EARLY:
            return
        self._due = max(self._due, at - self._apart) + self._apart if self._apart else 0.0
        self.frames, self.at, self._last = self.frames + 1, at, ticks
        scaled = frame.reformat(*self._scaled, format=self._takes)
        scaled.pts, scaled.time_base = ticks, Fraction(1, CLOCK)
        scaled.duration = round(CLOCK / self._rate)
        for made in self._filters.through(scaled):
            yield from self._encoded(made)

    def end(self) -> Iterator[Packet[VideoStream]]:
        yield from self._stream.encode(None)

    @property
    def ends(self) -> float:
        return self.at + float(1 / self._rate) if self.frames else 0.0

    @property
    def _takes(self) -> str:
        return "rgb24" if self._paletted else "yuv420p"

    def _encoded(self, frame: VideoFrame) -> Iterator[Packet[VideoStream]]:
        frame.pict_type = 0  # where the key pictures are is not the source's business
        yield from self._stream.encode(frame)


def fitting(first: Picture, width: int | None, most: int | None) -> tuple[int, int]:
    """Width and height of the result: never larger than the source, even, and within what encoders take."""
    scale = min(
        1.0, (width or first.width) / first.width, (most or first.width) / first.width, MOST_SIDE / first.width,
        MOST_SIDE / first.height, math.sqrt(MOST_PIXELS / (first.width * first.height)),
    )  # fmt: skip
    return max(2, int(first.width * scale) // 2 * 2), max(2, round(first.height * scale / 2) * 2)
