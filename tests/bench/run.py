"""One whole run: the reference, the contest, then every scenario; what failed is told at the end and fails the run.

Only measures; what becomes of the figures is told by report.py.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Iterator

from tests.bench.figure import tell
from tests.bench.machine import machine
from tests.bench.options import PEERS as CONTEST
from tests.bench.options import Options
from tests.bench.peers import contest
from tests.bench.peers.contestants import BARE, PEERS
from tests.bench.peers.run import Other
from tests.bench.report import Report
from tests.bench.scenarios import SCENARIOS
from tests.bench.stage import Servers, servers

JOBS, SHORT_JOBS = 30_000, 3_000
REFERENCE_JOBS, SHORT_REFERENCE_JOBS = 30_000, 10_000
PACED, SHORT_PACED = 200, 60


def run(options: Options, say: Callable[[str], None] = print) -> Report:
    """All that was asked for; what fails does not take the others' figures along."""
    load = os.getloadavg()[0]
    with servers() as found:
        report = _begin(found, load, SHORT_REFERENCE_JOBS if options.short else REFERENCE_JOBS, say)
        if CONTEST in options.scenarios:
            with _or_told(CONTEST, report):
                _contest(found, options, report, say)
    for scenario in SCENARIOS:
        if scenario.name in options.scenarios:
            say(f"--- {scenario.name}")
            with _or_told(scenario.name, report):
                report.figures[scenario.name] = scenario.ask(short=options.short, runs=options.runs)
                tell(report.figures[scenario.name], say)
    return report


def _begin(found: Servers, load: float, jobs: int, say: Callable[[str], None]) -> Report:
    """The machine and the reference."""
    Other(BARE).drained(found, SHORT_JOBS)  # servers that have just started are slow, and say nothing of the machine
    report = Report(machine(found, load), Other(BARE).drained(found, jobs).per_second)
    say(f"{report.machine.told()}\n{report.verdict}")
    return report


def _contest(found: Servers, options: Options, report: Report, say: Callable[[str], None]) -> None:
    jobs, paced, runs = (SHORT_JOBS, SHORT_PACED, 1) if options.short else (JOBS, PACED, options.runs)
    report.standings = contest.contest(found, jobs, runs, paced, PEERS if options.peers else (), say)
    report.figures[CONTEST] = contest.figures(report.standings)


@contextlib.contextmanager
def _or_told(name: str, report: Report) -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as broken:  # noqa: BLE001 - told at the end, and the run ends with 1
        traceback.print_exc()
        report.failed.append(f"{name}: {broken}")
