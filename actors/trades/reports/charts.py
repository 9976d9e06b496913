"""Charts as SVG, in the report's own type and colours; the picture is small and sharp at any size.

Nothing global of the drawing library is used or set: no pyplot, no current figure.
"""

from __future__ import annotations

import base64
import io
import os
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from actors.trades.reports.report import Bars
from actors.trades.reports.wording import short_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

WIDE: Final = 174 / 25.4  # inches: an A4 page without its margins
TONES: Final = {
    "good": "#2f6f9f", "bad": "#c8553d", "muted": "#b9bfc7", "open": "#e3c565", "first": "#2f6f9f",
    "second": "#7fb2c9", "third": "#d9a441", "fourth": "#5b7f5b", "fifth": "#8d6a9f", "sixth": "#9aa3ad",
}  # fmt: skip
INK, FAINT = "#3a424d", "#dfe3e8"
FONTS: Final = ("Liberation Sans", "Arial", "Helvetica", "DejaVu Sans")  # the first that is there


def drawn(bars: Bars) -> Bars:
    """The same, with its picture."""
    _settle_cache()
    import matplotlib as mpl  # noqa: PLC0415 - heavy: only who draws loads it
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    look: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "warren",
        "font.family": _font(),
        "font.size": 8,
        "text.parse_math": False,
    }
    with mpl.rc_context(look), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that its fonts do not have is drawn by whoever shows the picture
        figure = Figure(figsize=(WIDE, _height(bars)), layout="constrained")
        axes = figure.subplots()
        (_lying if bars.lying else _upright)(axes, bars)
        _dress(axes, bars)
        written = io.BytesIO()
        save: Any = FigureCanvasSVG(figure).print_svg
        save(written, metadata={"Date": None, "Creator": None})
    return replace(bars, svg=written.getvalue().decode())


def address(svg: str) -> str:
    """As a `data:` address, so that the picture travels within the page and its names meet no others."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _height(bars: Bars) -> float:
    return 0.55 + 0.21 * len(bars.places) if bars.lying else 2.1


def _upright(axes: Axes, bars: Bars) -> None:
    base = [0.0] * len(bars.places)
    wide = min(0.72, 0.18 + 0.07 * len(base))  # a few of them are not to look like a wall
    for name, tone, values in bars.series:
        axes.bar(range(len(base)), values, wide, base, color=TONES[tone], label=name)
        base = [below + value for below, value in zip(base, values, strict=True)]
    if bars.line:
        axes.plot(range(len(bars.line[1])), bars.line[1], color=INK, linewidth=1.1, marker="o", markersize=2.4,
                  label=bars.line[0])  # fmt: skip
    axes.set_xticks(*_ticks(bars.places))
    axes.set_xlim(-0.6, len(base) - 0.4)
    axes.set_ylim(top=max(*base, *(bars.line[1] if bars.line else ()), 1e-9) * 1.06)
    _scale(axes.yaxis, bars)
    axes.yaxis.grid(visible=True, color=FAINT, linewidth=0.6)


def _scale(axis: Axis, bars: Bars) -> None:
    """With short numbers, and no halves of what is counted."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axis.set_major_locator(MaxNLocator(7, integer=bars.kind == "count", steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(short_number)


def _ticks(places: Sequence[str]) -> tuple[list[int], list[str]]:
    """At most so many labels that they stand apart."""
    step = max(1, -(-len(places) // 16))
    return list(range(0, len(places), step)), list(places[::step])


def _lying(axes: Axes, bars: Bars) -> None:
    base = [0.0] * len(bars.places)
    rows = range(len(base))
    for name, tone, values in bars.series:
        axes.barh(rows, values, 0.66, base, color=TONES[tone], label=name)
        base = [before + value for before, value in zip(base, values, strict=True)]
    axes.set_yticks(rows, [_cut(place) for place in bars.places])
    axes.set_ylim(len(base) - 0.4, -0.6)  # the first on top
    _scale(axes.xaxis, bars)
    axes.xaxis.grid(visible=True, color=FAINT, linewidth=0.6)
    for row, length in zip(rows, base, strict=True):
        axes.annotate(short_number(length), (length, row), (3, 0), textcoords="offset points", va="center", color=INK)


def _cut(place: str, most: int = 34) -> str:
    """In its middle: long names often differ at their end."""
    return place if len(place) <= most else f"{place[: most // 2 - 1]}…{place[-most // 2 :]}"


def _dress(axes: Axes, bars: Bars) -> None:
    axes.set_axisbelow(True)
    for side in ("top", "right", "left" if not bars.lying else "bottom"):
        axes.spines[side].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color("#aeb5be")
    axes.tick_params(length=0, colors=INK, labelsize=7.5)
    if len(bars.series) + bool(bars.line) > 1:
        _legend(axes, bars)


def _legend(axes: Axes, bars: Bars) -> None:
    """The bars, then the line over them."""
    handles, names = axes.get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda place: bars.line is not None and names[place] == bars.line[0])
    axes.legend(
        [handles[place] for place in order], [names[place] for place in order], frameon=False, ncols=6,
        loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2, labelcolor=INK, fontsize=7.5,
        handlelength=0.9, handleheight=0.9, columnspacing=1.4,
    )  # fmt: skip


def _font() -> list[str]:
    from matplotlib import font_manager  # noqa: PLC0415

    there: set[Any] = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in FONTS if name in there] or ["DejaVu Sans"]


def _settle_cache() -> None:
    """Where the list of fonts is kept, which takes a second to make: a private folder, made once on a machine."""
    if "MPLCONFIGDIR" in os.environ:
        return
    folder = Path(tempfile.gettempdir()) / f"warren-charts-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid == os.getuid() and not folder.is_symlink():
        os.environ["MPLCONFIGDIR"] = str(folder)
