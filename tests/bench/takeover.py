"""How soon a dead clock's schedules are another's: `python -m tests.bench.takeover [--rounds 5]`.

Two clocks share schedules that are due in every hundredth of a second; one of them is killed, and what counts is how
late the latest job is published whose time came about then.
"""

from __future__ import annotations

import argparse
import asyncio
import time

from tests.bench import timed
from tests.bench.backlog import declare
from tests.bench.figure import Figure, tell
from tests.bench.heard import Ear
from tests.bench.stage import stage
from tests.faults.clocks import NAMES, Clocks

LATE_SECONDS = 2.0
SCHEDULES = 100
LOOK_SECONDS = 4.0


def measure(rounds: int = 5) -> list[Figure]:
    """The worst of so many kills, in turns."""
    with stage(workers=False) as stack:
        declare(stack)
        clocks = Clocks(stack, NAMES[:2])
        with Ear(stack.amqp_url, timed.TYPE).open() as ear:
            timed.every(stack, 1.0, SCHEDULES, apart=1 / SCHEDULES)
            kills = [asyncio.run(_kill(clocks, NAMES[turn % 2])) for turn in range(rounds)]
            heard = ear.heard()
    worst = [max(one.late for one in heard if at - 1 <= one.due < at + LOOK_SECONDS) for at in kills]
    told = ", ".join(f"{seconds:.2f}" for seconds in worst)
    return [Figure("takeover after SIGKILL, worst", max(worst), "s", at_most=LATE_SECONDS, beside=f"each: {told} s")]


async def _kill(clocks: Clocks, name: str) -> float:
    """When it was; what was due then has been heard when this returns."""
    await clocks.start_all()
    await asyncio.sleep(1.0)
    clocks.kill(name)
    at = time.time()
    await asyncio.sleep(2 * LOOK_SECONDS)
    return at


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.takeover", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    tell(measure(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
