"""The picture of a contest: who drains how fast, and whose jobs begin how soon.

Warren has the one colour, the bare loop is what a floor looks like, and the titles say what was found in this very run;
nothing is drawn that was not measured.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.peers.contest import WARREN, Standing, ratio
from tests.bench.peers.contestants import BARE, PEERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALT = "Jobs drained a second, and the time from submit to start, of Warren and its peers"
RIVALS = {peer.name for peer in PEERS}
FLOOR_SAYS = "the floor: no claims, no retries, no history"
OURS, THEIRS, FLOOR, INK, FAINT = "#c2410c", "#94a3b8", "#e2e8f0", "#1e293b", "#64748b"


def draw(standings: Sequence[Standing], facts: str, file: Path) -> None:
    """Write it; the ending of the name says as what."""
    plt = importlib.import_module("matplotlib.pyplot")  # of an extra: whoever asks for no picture needs it not
    plt.switch_backend("Agg")
    plt.rcParams.update({"font.family": "DejaVu Sans", "text.color": INK})
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.9), width_ratios=(1.5, 1))
    ours = next(standing for standing in standings if standing.name == WARREN)
    _bars(left, sorted(standings, key=_rate), _rate, lambda one: drain_label(ours, one))
    floor = next((number for number, one in enumerate(sorted(standings, key=_rate)) if one.name == BARE.name), None)
    if floor is not None:
        left.text(max(map(_rate, standings)) * 0.012, floor, FLOOR_SAYS, va="center", fontsize=8, color=FAINT)
    _titled(left, drain_title(standings), "no-op jobs drained per second, each outcome in Postgres before its ack")
    timed = sorted((standing for standing in standings if standing.starts), key=_p50, reverse=True)
    _bars(right, timed, _p50, lambda one: f"{_p50(one):.1f} ms")
    _titled(right, start_title(timed), "submit → start, median; shorter is better")
    figure.text(0.01, 0.015, f"Two worker processes each, 200-byte payload. {facts}", fontsize=7, color=FAINT)
    figure.tight_layout(rect=(0, 0.05, 1, 1), w_pad=2)
    figure.savefig(file, dpi=120, metadata={"Software": None} if file.suffix == ".png" else None)
    plt.close(figure)


def drain_title(standings: Sequence[Standing]) -> str:
    """What the left side shows, in a sentence."""
    ours = next(standing for standing in standings if standing.name == WARREN)
    rivals = sorted((standing for standing in standings if standing.name in RIVALS), key=_rate, reverse=True)
    if not rivals:
        return f"Warren drains {ours.per_second:,.0f} jobs a second"
    told = [f"{_times(ratio(ours, rival))} as fast as {rival.name}" for rival in (rivals[0], rivals[-1])]
    return f"Warren drains {', '.join(dict.fromkeys(told))}"


def drain_label(ours: Standing, one: Standing) -> str:
    """A rate, and what Warren's is of it."""
    rate = f"{one.per_second:,.0f}"
    return f"{rate}   Warren {_times(ratio(ours, one))}" if one.name in RIVALS else rate


def start_title(timed: Sequence[Standing]) -> str:
    """What the right side shows."""
    ours = next((standing for standing in timed if standing.name == WARREN), None)
    return f"Its jobs start after {_p50(ours):.1f} ms" if ours else "How soon a job starts"


def _times(ratio: float) -> str:
    return f"{ratio:.0f}×" if ratio >= 9.95 else f"{ratio:.1f}×"


def _rate(standing: Standing) -> float:
    return standing.per_second


def _p50(standing: Standing) -> float:
    return standing.start_millis(0.5) or 0.0


def _bars(
    axes: Axes, standings: Sequence[Standing], value: Callable[[Standing], float], told: Callable[[Standing], str]
) -> None:
    values = [value(standing) for standing in standings]
    bars: Any = axes.barh(
        [standing.name for standing in standings],
        values,
        color=[_colour(standing) for standing in standings],
        height=0.7,
    )
    axes.bar_label(bars, [told(standing) for standing in standings], padding=4, fontsize=9, color=INK)
    axes.set_xlim(0, max(values, default=1) * 1.15)
    axes.xaxis.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=9.5, labelcolor=INK)
    for label in axes.get_yticklabels():
        if label.get_text() == WARREN:
            label.set(fontweight="bold", color=OURS)


def _colour(standing: Standing) -> str:
    return {WARREN: OURS, BARE.name: FLOOR}.get(standing.name, THEIRS)


def _titled(axes: Axes, title: str, below: str) -> None:
    axes.text(0, 1.13, title, transform=axes.transAxes, fontsize=12, fontweight="bold", color=INK)
    axes.text(0, 1.03, below, transform=axes.transAxes, fontsize=9, color=FAINT)
