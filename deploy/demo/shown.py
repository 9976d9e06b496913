"""What the demo shows: bars on a terminal, a line every few seconds elsewhere, and the sum at the end.  Pure."""

from __future__ import annotations

from collections import Counter

from deploy.demo.deeds import CRAWL, OFFICE
from deploy.demo.drive import Sent
from deploy.demo.watch import ENDED, OPEN, Count
from deploy.terminal.screen import bar


def bars(seconds: float, whole: float, sent: Sent, count: Count) -> list[str]:
    """Three that move: the time, the jobs that have ended of those that were submitted or born, and where they are."""
    everything = count.ended + count.open
    first = (
        bar("seconds", int(min(seconds, whole)), int(whole))
        if whole
        else f"  {'seconds':<9} {seconds:,.0f}, until Ctrl-C"
    )
    return [first, bar("ended", count.ended, everything, "jobs"), f"  {'jobs':<9} {states(count)}{faults(sent)}"]


def line(seconds: float, sent: Sent, count: Count) -> str:
    rate = sent.jobs / seconds if seconds else 0.0
    return f"{sent.jobs:,} submitted ({rate:.1f}/s): {states(count)}{faults(sent)}"


def states(count: Count) -> str:
    told = [f"{count.states[state]:,} {state}" for state in (*ENDED, *OPEN) if count.states.get(state)]
    return ", ".join(told) or "none yet"


def faults(sent: Sent) -> str:
    return f"; {sum(sent.faults.values()):,} not taken" if sent.faults else ""


def sum_up(sent: Sent, count: Count) -> list[str]:
    """What was submitted where, what became of it, and what was refused."""
    others = sent.by_door[CRAWL] + sent.by_door[OFFICE]  # their types are not the demo's
    children = max(count.ended + count.open - (sent.jobs - others), 0)
    rows = [("submitted", _listed(sent.by_door)), ("became", states(count))]
    if children:
        rows.insert(1, ("born of them", f"{children:,} children, callbacks and jobs of the clock"))
    if sent.faults:
        rows.append(("not taken", _listed(sent.faults)))
    return [f"  {name:<13} {text}" for name, text in rows]


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counted.most_common() if number) or "none"
