"""What FFmpeg's filters do with a picture that has its size: turn it, and find the few colours that a GIF has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from av.error import BlockingIOError as Hungry
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

TURNS: Final[dict[int, tuple[tuple[str, str | None], ...]]] = {  # counterclockwise
    90: (("transpose", "cclock"),),
    180: (("hflip", None), ("vflip", None)),
    270: (("transpose", "clock"),),
}


class Filters:
    """Of pictures of one size and format; the work is left out where there is none."""

    def __init__(self, width: int, height: int, form: str, rotation: int, clock: int, *, palette: bool) -> None:
        self._graph = Graph() if rotation or palette else None
        if self._graph is None:
            return
        size = f"video_size={width}x{height}:pix_fmt={form}:time_base=1/{clock}:pixel_aspect=1/1"
        last = self._graph.add("buffer", size)
        for name, how in TURNS.get(rotation, ()):
            last = _linked(last, self._graph.add(name, how))
        if palette:
            last = self._paletted(self._graph, last)
        _linked(last, self._graph.add("buffersink"))
        self._graph.configure()

    def through(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """What comes out for this picture."""
        if self._graph is None:
            yield frame
            return
        self._graph.vpush(frame)
        while True:
            try:
                yield self._graph.vpull()
            except Hungry:
                return

    def _paletted(self, graph: Graph, last: FilterContext) -> FilterContext:
        """Colours for each picture by itself: those for a whole film would keep all of it in memory."""
        split, colours = graph.add("split"), graph.add("palettegen", "stats_mode=single")
        use = graph.add("paletteuse", "new=1:dither=bayer:bayer_scale=4")
        _linked(last, split)
        split.link_to(use, 0, 0)
        split.link_to(colours, 1, 0)
        colours.link_to(use, 0, 1)
        return use


def _linked(first: FilterContext, second: FilterContext) -> FilterContext:
    first.link_to(second)
    return second
