"""The sound of the result: at a rate and in as many channels as its format has, cut to the sample.

What overlaps the sound before it is moved behind it; a gap stays a gap where the container can say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from actors.trades.video.formats import Codec, Format
from actors.trades.video.look import Sound

MOST_RATE: Final = 48_000


class Sounds:
    """One stream of it on its way into a container."""

    def __init__(self, out: OutputContainer, form: Format, first: Sound, *, most_seconds: float | None) -> None:
        assert form.audio is not None
        self.source = first.stream
        self.rate = first.rate if first.rate in form.sample_rates else MOST_RATE
        self._layout = "mono" if first.channels == 1 else "stereo"
        self._codec: Codec = form.audio
        self._most = None if most_seconds is None else round(most_seconds * self.rate)  # samples
        stream = out.add_stream(form.audio.name, rate=self.rate, layout=self._layout, options=dict(form.audio.options))
        assert isinstance(stream, AudioStream)
        self._stream, self._starts, self._next = stream, first.starts, 0
        self._kind = ("", "", 0)
        self._resampler = AudioResampler(self._codec.takes, self._layout, self.rate)

    def when(self, frame: AudioFrame) -> float:
        """Its second in the source."""
        return frame.time if frame.time is not None else self._starts + self._next / self.rate

    def lasts(self, frame: AudioFrame) -> float:
        """Its seconds."""
        return frame.samples / frame.sample_rate

    def take(self, frame: AudioFrame, at: float) -> Iterator[Packet[AudioStream]]:
        """This sound, so many seconds after the start."""
        frame.pts, frame.time_base = round(at * frame.sample_rate), Fraction(1, frame.sample_rate)
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._kind:  # it may change half way
            yield from self._flushed()
            self._kind, self._resampler = kind, AudioResampler(self._codec.takes, self._layout, self.rate)
        for one in self._resampler.resample(frame):
            yield from self._encoded(one)

    def end(self) -> Iterator[Packet[AudioStream]]:
        yield from self._flushed()
        yield from self._stream.encode(None)

    @property
    def ends(self) -> float:
        return self._next / self.rate

    def _flushed(self) -> Iterator[Packet[AudioStream]]:
        """What the resampler still has."""
        for one in self._resampler.resample(None):
            yield from self._encoded(one)

    def _encoded(self, frame: AudioFrame) -> Iterator[Packet[AudioStream]]:
        at = max(self._next, 0 if frame.pts is None else frame.pts)
        left = frame.samples if self._most is None else self._most - at
        if left <= 0:
            return
        if left < frame.samples:
            frame = _cut(frame, left)
        frame.pts, frame.time_base = at, Fraction(1, self.rate)
        self._next = at + frame.samples
        yield from self._stream.encode(frame)


def _cut(frame: AudioFrame, samples: int) -> AudioFrame:
    """Its first so many samples."""
    values = frame.to_ndarray()
    apart = 1 if frame.format.is_planar else frame.layout.nb_channels
    cut = AudioFrame.from_ndarray(values[:, : samples * apart].copy(), frame.format.name, frame.layout.name)
    cut.sample_rate = frame.sample_rate
    return cut
