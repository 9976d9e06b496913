"""The tables of a run: for a terminal and for a page, and the one sentence that says whether its rates may be believed.

Never measures.  A figure that misses its bar says so in capitals, wherever it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tests.bench.figure import Figure
from tests.bench.peers.contest import Standing

QUIET_PER_SECOND = 8_000  # of the bare loop: below, the machine is busy with something else, or slow


def verdict(reference: float) -> str:
    """Of a run whose bare loop drained so many a second."""
    told = f"reference: the bare loop drains {reference:,.0f} jobs/s"
    if reference < QUIET_PER_SECOND:
        return f"{told}, fewer than {QUIET_PER_SECOND:,}: noisy, only the ratios of this run count"
    return told


def plain(rows: Sequence[Sequence[str]]) -> str:
    """Columns for a terminal; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def page(rows: Sequence[Sequence[str]]) -> str:
    """Columns for Markdown; all but the first and the last are numbers."""
    head, *rest = rows
    rule = ["---", *["---:"] * (len(head) - 2), "---"]
    return "\n".join(_line(row) for row in (head, rule, *rest))


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def contest_rows(standings: Sequence[Standing]) -> list[list[str]]:
    """Who drains how fast, at what cost, and starts how soon; the fastest first."""
    head = [
        "",
        "jobs/s",
        "lowest – highest",
        "µs/job: workers",
        "Postgres",
        "RabbitMQ",
        "start p50 ms",
        "p99 ms",
        "jobs",
    ]
    ordered = sorted(standings, key=lambda standing: -standing.per_second)
    return [head, *(_contest_row(standing) for standing in ordered)]


def _contest_row(standing: Standing) -> list[str]:
    low, high = standing.spread
    return [
        f"{standing.name} {standing.version}".strip(),
        f"{standing.per_second:,.0f}",
        f"{low:,.0f} – {high:,.0f}",
        *(f"{standing.micros(role):,.0f}" for role in ("workers", "postgres", "rabbitmq")),
        *(_millis(standing.start_millis(share)) for share in (0.5, 0.99)),
        f"{standing.jobs:,}",
    ]


def _millis(millis: float | None) -> str:
    return "" if millis is None else f"{millis:.1f}"


def figure_rows(scenarios: Mapping[str, Iterable[Figure]]) -> list[list[str]]:
    """Every figure of every scenario beside its bar."""
    head = ["what", "value", "bar", "", "beside", "asked by"]
    return [head, *(_figure_row(name, figure) for name, figures in scenarios.items() for figure in figures)]


def _figure_row(name: str, figure: Figure) -> list[str]:
    met = {None: "", True: "met", False: "MISSED"}[figure.met]
    return [figure.name, f"{number(figure.value)} {figure.unit}", figure.bar, met, figure.beside, name]


def number(value: float) -> str:
    """Three figures that mean something, and no powers of ten."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
