"""Open a file that may be a film, and see what is in it.

A file is what a stranger sent.  So only containers on a list are read: not the playlists and scripts (HLS, DASH,
concat, SDP) whose text names other files and addresses to open.  FFmpeg gets the open file, not its name, and may use
no protocol at all.  Refuses what has no picture or sound that can be decoded, and pictures too large to hold.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import FileIO
from pathlib import Path
from typing import Any, Final

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

READ: Final = (
    "mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "asf", "ogg", "gif", "ivf", "mxf", "dv",
    "h264", "hevc", "m4v", "mpegvideo", "mp3", "wav", "flac", "aac", "aiff", "ac3",
)  # fmt: skip
EXACT: Final = frozenset({"mov", "matroska", "avi"})  # containers whose length is written in their head
MOST_PIXELS: Final = 4_096 * 2_304  # of one picture: a cinema's 4K; decoders hold some twenty of them
MOST_STREAMS: Final = 100
THREADS: Final = 2  # of a decoder; each holds pictures of its own
MOST_PEEKED: Final = 64 * 1024 * 1024  # bytes, until the first picture and the first sound are there


class Unfit(Exception):
    """The file is not what is needed; says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the first picture says of all."""

    stream: int
    codec: str
    width: int  # as it is shown: turned, and with square pixels
    height: int
    rotation: int  # how it has to be turned, counterclockwise
    rate: Fraction
    starts: float
    seconds: float | None  # as its header says
    frames: int | None = None  # as its header says, which knows it in some containers


@dataclass(frozen=True, slots=True)
class Sound:
    """What the first sound says of all."""

    stream: int
    codec: str
    rate: int
    channels: int
    starts: float
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Look:
    """What is in a file."""

    container: str
    seconds: float | None  # as its header says
    picture: Picture | None
    sound: Sound | None

    @property
    def told(self) -> dict[str, object]:
        """For the result of a job."""
        picture, sound = self.picture, self.sound
        return {
            "container": self.container,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "video_codec": picture.codec if picture else None,
            "width": picture.width if picture else None,
            "height": picture.height if picture else None,
            "audio_codec": sound.codec if sound else None,
        }

    @property
    def starts(self) -> float:
        return min(one.starts for one in (self.picture, self.sound) if one)

    def length(self, *, pictures: bool, sounds: bool) -> float | None:
        """How long these are, if the header can be relied upon; in other containers it is a guess."""
        if self.container not in EXACT:
            return None
        chosen = [one for one in (self.picture if pictures else None, self.sound if sounds else None) if one]
        known = [one.seconds for one in chosen if one.seconds]
        whole = len(chosen) == (self.picture is not None) + (self.sound is not None)
        return max(known) if known else self.seconds if whole else None


class Reader(FileIO):
    """What FFmpeg reads from; whoever made the file may have it look before its beginning."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        try:
            return super().seek(offset, whence)
        except OSError as e:
            if e.errno != errno.EINVAL:
                raise
            return -1


@contextmanager
def opened(path: Path, most_pixels: int = MOST_PIXELS) -> Iterator[InputContainer]:
    """The file as a container; Unfit if it is none that is read."""
    confined = {"protocol_whitelist": "none", "format_whitelist": ",".join(READ), "max_streams": str(MOST_STREAMS)}
    with Reader(path) as file:
        try:
            container = av.open(
                file, "r", container_options=confined, options=_bounds(most_pixels), metadata_errors="replace",
                buffer_size=262_144,
            )  # fmt: skip
        except FFmpegError as e:
            raise Unfit(f"it is not a film: no mp4, mov, mkv, webm, avi, mpeg, flv or other film ({said(e)})") from e
        with container:
            yield container


def look(path: Path) -> Look:
    """Decode the first picture and the first sound, if there are any."""
    with opened(path) as container:
        frames = _first_frames(container, [one for one in (video_stream(container), audio_stream(container)) if one])
        duration = container.duration
        return Look(
            container=container.format.name.partition(",")[0],
            seconds=duration / av.time_base if duration and duration > 0 else None,
            picture=next((_picture(s, f) for s, f in frames if isinstance(f, VideoFrame)), None),
            sound=next((_sound(s, f) for s, f in frames if isinstance(f, AudioFrame)), None),
        )


def video_stream(container: InputContainer, most_pixels: int = MOST_PIXELS) -> VideoStream | None:
    """The film's pictures, ready to be decoded; a cover of a record is none."""
    films = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in films else next(iter(films), None)
    if stream is None or stream.codec_context is None:
        return None
    size = check_size(stream.codec_context.width, stream.codec_context.height, most_pixels)
    stream.codec_context.options = {"max_pixels": str(most_pixels)} if size else {}
    stream.thread_count, stream.thread_type = THREADS, ThreadType.AUTO
    return stream


def audio_stream(container: InputContainer) -> AudioStream | None:
    """The sound that a player would choose."""
    best = container.streams.best("audio")
    return best if isinstance(best, AudioStream) and best.codec_context is not None else None


def check_size(width: int, height: int, most_pixels: int = MOST_PIXELS) -> int:
    """How many pixels; decoders hold many pictures at once, and a file of some bytes can claim any size."""
    if width * height > most_pixels:
        raise Unfit(f"its pictures have {width} × {height} pixels; at most {most_pixels} are taken (4096 × 2304)")
    return width * height


def _first_frames(
    container: InputContainer, streams: list[VideoStream | AudioStream]
) -> list[tuple[VideoStream | AudioStream, VideoFrame | AudioFrame]]:
    """The first that each stream has, in an order that does not matter."""
    found: dict[int, tuple[VideoStream | AudioStream, VideoFrame | AudioFrame]] = {}
    read = 0
    try:
        for packet in container.demux(*streams) if streams else ():
            read += packet.size
            if packet.stream_index not in found and (frame := _first_of(packet)):
                stream = next(one for one in streams if one.index == packet.stream_index)
                found[packet.stream_index] = stream, frame
            if len(found) == len(streams) or read > MOST_PEEKED:
                break
    except FFmpegError as e:
        if not found:
            raise Unfit(f"nothing in it can be decoded ({said(e)})") from e
    if not found:
        raise Unfit("there is no picture and no sound in it that can be decoded")
    return list(found.values())


def _first_of(packet: Packet[Any]) -> VideoFrame | AudioFrame | None:
    try:
        return next(iter(packet.decode()), None)
    except InvalidDataError:  # a damaged one; the next may be sound
        return None


def _picture(stream: VideoStream | AudioStream, frame: VideoFrame) -> Picture:
    assert isinstance(stream, VideoStream)
    check_size(frame.width, frame.height)
    shape = float(stream.sample_aspect_ratio or 1)
    width, height = frame.width * (shape if 0.1 < shape < 10 else 1.0), float(frame.height)
    rotation = round(frame.rotation / 90) * 90 % 360
    if rotation in (90, 270):
        width, height = height, width
    rate = stream.guessed_rate or stream.average_rate or Fraction(25)
    return Picture(
        stream.index, stream.codec_context.codec.canonical_name, round(width), round(height), rotation,
        rate if 1 <= rate <= 240 else Fraction(25), frame.time or 0.0, _seconds(stream),
        stream.frames or None,
    )  # fmt: skip


def _sound(stream: VideoStream | AudioStream, frame: AudioFrame) -> Sound:
    codec = stream.codec_context.codec.canonical_name
    channels = frame.layout.nb_channels
    return Sound(stream.index, codec, frame.sample_rate, channels, frame.time or 0.0, _seconds(stream))


def _seconds(stream: VideoStream | AudioStream) -> float | None:
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None


def _bounds(most_pixels: int) -> dict[str, str]:
    """Of what is decoded while the container is opened."""
    return {"max_pixels": str(most_pixels), "threads": "1"}


def said(error: FFmpegError) -> str:
    """What FFmpeg says, without the name of our file."""
    return (error.strerror or type(error).__name__)[:200]
