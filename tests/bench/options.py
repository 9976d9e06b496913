"""What `python -m tests.bench` can be told."""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from tests.bench.peers.contest import HOW_TO_GET
from tests.bench.scenarios import SCENARIOS

PEERS = "peers"
NAMES = (PEERS, *(scenario.name for scenario in SCENARIOS))
USAGE = "Measure Warren and what users run today, on the same work in one run."


@dataclass(frozen=True, slots=True)
class Options:
    scenarios: tuple[str, ...]
    runs: int
    short: bool
    peers: bool
    plot: Path | None
    json: Path | None
    write_docs: bool
    kept: Path | None


def parse(words: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=USAGE)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"all, or some of {', '.join(NAMES)}")
    parser.add_argument("--runs", type=int, default=5, help="the median of so many, where one is short (%(default)s)")
    parser.add_argument("--short", action="store_true", help="fewer jobs, one run: minutes, and figures to match")
    parser.add_argument("--without-peers", action="store_true", help="Warren and the bare loop only")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the contest: .png or .svg")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    parser.add_argument("--write-docs", action="store_true", help="put tables and plot into docs/performance.md")
    parser.add_argument(
        "--from", type=Path, dest="kept", metavar="FILE", help="measure nothing: tell such a file again"
    )
    given = parser.parse_args(words)
    if unknown := sorted(set(given.scenarios) - set(NAMES)):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if (given.plot or given.write_docs) and importlib.util.find_spec("matplotlib") is None:
        parser.error(f"a plot needs matplotlib: {HOW_TO_GET}")  # now, and not after half an hour
    return Options(
        scenarios=tuple(given.scenarios) or NAMES,
        runs=max(1, given.runs),
        short=given.short,
        peers=not given.without_peers,
        plot=given.plot,
        json=given.json,
        write_docs=given.write_docs,
        kept=given.kept,
    )
