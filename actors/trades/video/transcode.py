"""Go through a film once, and make another one of it.

Each step gives back how many seconds are done, so that whoever asks can say how far it is, and stop between two.
What is damaged is left out and counted.  Refuses a film of which much is missing: a download that broke off should be
noticed by the person who sent it, not by those who watch the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import av
import structlog
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

from actors.trades.video.formats import Format
from actors.trades.video.look import MOST_PIXELS, Look, Unfit, audio_stream, opened, said, video_stream
from actors.trades.video.pictures import Pictures
from actors.trades.video.sound import Sounds
from actors.trades.video.timeline import Timeline

log = structlog.get_logger()

DAMAGED: Final = 0.1  # of the packets, beyond which it is not the film any more
FORGIVEN: Final = 10  # packets: those before the first whole picture of a stream that was cut
MISSING: Final = 0.1  # of the seconds that the header tells
LOOKS: Final = 64  # packets between two looks at the size of what is made
Track = Pictures | Sounds
Film: TypeAlias = "Packet[Any]"  # at run time it takes no parameter


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of it."""

    form: Format
    seconds: float | None = None
    width: int | None = None
    most_bytes: int | None = None
    most_pictures: int | None = None
    most_pixels: int = MOST_PIXELS  # of one picture


class Transcoding:
    """One film on its way into another."""

    def __init__(self, source: Path, seen: Look, target: Path, wanted: Wanted) -> None:
        self._source, self._seen, self._target, self._wanted = source, seen, target, wanted
        self.packets, self.damaged, self.pictures = 0, 0, 0
        self._reached = False  # the end of what is wanted
        self._lines: dict[int, Timeline] = {}
        self._told = seen.length(pictures=wanted.form.video is not None, sounds=wanted.form.audio is not None)
        form = wanted.form
        if form.video and seen.picture is None:
            raise Unfit(f"there is no picture in it, so it cannot become {form.name}; mp3 and wav need none")
        if form.video is None and seen.sound is None:
            raise Unfit(f"there is no sound in it, so it cannot become {form.name}")
        if form.video and seen.picture and wanted.seconds is None and seen.container == "mov":
            self._check_pictures(seen.picture.frames or 0)  # this header is right; an hour's work would end there

    @property
    def seconds(self) -> float | None:
        """How long it will be, as far as the header is right."""
        told, wanted = self._told, self._wanted.seconds
        return min(told, wanted) if told and wanted else told or wanted

    def steps(self) -> Iterator[float]:
        """Make it; each step is a packet of the source."""
        form = self._wanted.form
        with (
            opened(self._source, self._wanted.most_pixels) as container,
            av.open(str(self._target), "w", format=form.muxer, options=dict(form.options)) as out,
        ):
            tracks = self._tracks(out)
            yield from self._through(container, out, tracks)
            for track in tracks.values():
                out.mux(list(track.end()))
        self._judge()

    def _tracks(self, out: OutputContainer) -> dict[int, Track]:
        """What becomes of which stream of the source."""
        form, wanted, seen, tracks = self._wanted.form, self._wanted, self._seen, dict[int, Track]()
        if form.video and seen.picture:
            tracks[seen.picture.stream] = Pictures(
                out, form, seen.picture, width=wanted.width, most_pixels=wanted.most_pixels
            )
        if form.audio and seen.sound:
            tracks[seen.sound.stream] = Sounds(out, form, seen.sound, most_seconds=wanted.seconds)
        return tracks

    def _through(self, container: InputContainer, out: OutputContainer, tracks: dict[int, Track]) -> Iterator[float]:
        going = dict(tracks)
        self._lines = {index: Timeline(self._seen.starts, self._wanted.seconds) for index in tracks}
        both = video_stream(container, self._wanted.most_pixels), audio_stream(container)
        streams = [one for one in both if one and one.index in tracks]
        for packet in self._packets(container.demux(*streams)):
            track = going.get(packet.stream_index)
            if track is None:
                continue
            for frame in self._decoded(packet):
                self._count(frame)
                at = self._lines[packet.stream_index].place(track.when(frame), track.lasts(frame))
                if at is None:
                    going.pop(packet.stream_index, None)
                    break
                out.mux(list(track.take(frame, at)))
            if not going:
                self._reached = True
                return
            self._check_target()
            yield min(track.ends for track in tracks.values())

    def _packets(self, packets: Iterator[Film]) -> Iterator[Film]:
        """As many as there are; a film that breaks off has an end, too."""
        while True:
            try:
                yield next(packets)
            except StopIteration:
                return
            except FFmpegError as e:
                log.info("film_broken", error=said(e))
                return

    def _decoded(self, packet: Film) -> list[Any]:
        self.packets += 1
        try:
            return list(packet.decode())
        except FFmpegError:
            self.damaged += 1
            return []

    def _count(self, frame: object) -> None:
        if isinstance(frame, VideoFrame):
            self.pictures += 1
            self._check_pictures(self.pictures)

    def _check_pictures(self, pictures: int) -> None:
        """Decoded, not made: a megabyte may hold a year of black, of which a GIF leaves most out."""
        most = self._wanted.most_pictures
        if most and pictures > most:
            raise Unfit(f"it has more than {most} pictures (WARREN_VIDEO_MAX_PICTURES); ask for a shorter duration")

    def _check_target(self) -> None:
        most = self._wanted.most_bytes
        if most and not self.packets % LOOKS and self._target.stat().st_size > most:
            raise Unfit(f"what is made of it has more than {most} bytes (WARREN_MAX_ARTIFACT_BYTES); ask for less")

    def _judge(self) -> None:
        """Whether the result is the film that was meant."""
        seconds = max(line.reached for line in self._lines.values())
        if not seconds:
            raise Unfit("nothing in it can be decoded")
        if self.damaged > max(FORGIVEN, DAMAGED * self.packets):
            raise Unfit(f"{self.damaged} of its {self.packets} packets are damaged")
        if not self._reached and self._told and self.seconds and seconds < self.seconds * (1 - MISSING) - MISSING:
            raise Unfit(f"it breaks off at {seconds:.1f} s of the {self._told:.1f} s that its header tells")
