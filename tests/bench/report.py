"""What a run has found, and where it goes: to a terminal, into a file, onto the page.

A file of figures can be read back, so that a better table or picture does not cost another half an hour.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench import page, plot, table
from tests.bench.drained import Drained
from tests.bench.figure import Figure
from tests.bench.machine import Machine
from tests.bench.peers.contest import Standing


@dataclass(slots=True)
class Report:
    """What a run has found so far."""

    machine: Machine
    reference: float
    standings: list[Standing] = field(default_factory=list)
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        return table.verdict(self.reference)


def tell(report: Report, say: Callable[[str], None] = print) -> None:
    """The tables, and what has failed."""
    if report.standings:
        say("\n" + table.plain(table.contest_rows(report.standings)))
    say("\n" + table.plain(table.figure_rows(report.figures)))
    say(f"\n{report.machine.told()}\n{report.verdict}")
    for failed in report.failed:
        say(f"FAILED {failed}")


def keep(report: Report, file: Path) -> None:
    """Every figure, as JSON."""
    file.write_text(json.dumps({"verdict": report.verdict, **asdict(report)}, indent=1) + "\n")


def kept(file: Path) -> Report:
    """What was kept there."""
    said = json.loads(file.read_text())
    standings = [Standing(**{**one, "turns": [Drained(**turn) for turn in one["turns"]]}) for one in said["standings"]]
    figures = {name: [Figure(**one) for one in some] for name, some in said["figures"].items()}
    return Report(Machine(**said["machine"]), said["reference"], standings, figures, said["failed"])


def draw(report: Report, file: Path) -> None:
    plot.draw(report.standings, report.machine.told(), file)


def write_docs(report: Report, everything: Sequence[str], file: Path = page.PAGE) -> None:
    """Put onto the page what was measured; a table of all figures only if all were asked for."""
    parts = {"machine": f"{report.machine.told()}.\n{report.verdict[0].upper()}{report.verdict[1:]}."}
    if report.standings:
        draw(report, file.with_name(page.PLOT))
        parts["plot"] = f"![{plot.ALT}]({page.PLOT})"
        parts["contest"] = table.page(table.contest_rows(report.standings))
    if set(everything) <= set(report.figures):
        parts["figures"] = table.page(table.figure_rows(report.figures))
    page.write(parts, file)
