"""What Warren computes when there is nothing to do: `python -m tests.bench.idle [--seconds 20]`.

All processes, two of them workers, after they have come to rest; processor time as the kernel counts it, in percent of
one core.  The servers are told beside: with Warren, and by themselves once it is stopped.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Final

from tests.bench.computed import computed
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.journey.stack import Stack

SERVERS: Final = ("postgres", "rabbitmq")
REST_SECONDS: Final = 5.0  # the processes' start is over by then


def measure(seconds: float = 20.0) -> list[Figure]:
    """Ours together and one by one, then the servers."""
    with stage() as stack:
        busy = _percent(stack, seconds)
        stack.stop_all()
        alone = _percent(stack, seconds)
    ours = {role: percent for role, percent in busy.items() if role not in SERVERS}
    figures = [Figure("idle: all processes of Warren", sum(ours.values()), "% core", at_most=3)]
    figures += [Figure(f"idle: {role}", percent, "% core") for role, percent in sorted(ours.items())]
    for role in SERVERS:
        beside = f"{alone.get(role, 0.0):.2f} without Warren"
        figures.append(Figure(f"idle: {role}, for Warren", busy.get(role, 0.0), "% core", beside=beside))
    return figures


def _percent(stack: Stack, seconds: float) -> Mapping[str, float]:
    time.sleep(REST_SECONDS)
    before, began = computed(stack), time.monotonic()
    time.sleep(seconds)
    took, after = time.monotonic() - began, computed(stack)
    return {role: 100 * (spent - before.get(role, 0.0)) / took for role, spent in after.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    tell(measure(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
