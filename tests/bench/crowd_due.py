"""What becomes of a crowd that is due in one instant: `python -m tests.bench.crowd_due [--schedules 10000]`.

Everybody's report at midnight: so many schedules, all due in the same second, and how long after it the last of their
jobs is published, as a subscriber of RabbitMQ hears it.
"""

from __future__ import annotations

import argparse

from tests.bench import timed
from tests.bench.backlog import declare
from tests.bench.computed import computed
from tests.bench.figure import Figure, tell
from tests.bench.heard import Ear, at
from tests.bench.stage import stage

LAST_SECONDS = 5.0
AHEAD_SECONDS = 8.0
PATIENCE_SECONDS = 60.0


def measure(schedules: int = 10_000) -> list[Figure]:
    with stage(workers=False) as stack:
        declare(stack)
        with Ear(stack.amqp_url, timed.TYPE).open() as ear:
            timed.once(stack, schedules, ahead=AHEAD_SECONDS)
            before = computed(stack)
            ear.wait_for(schedules, AHEAD_SECONDS + PATIENCE_SECONDS)
            spent = computed(stack)
            heard = ear.heard()
    late = [one.late for one in heard]
    cost = ", ".join(f"{role} {spent[role] - before[role]:.1f} s" for role in ("scheduler", "postgres", "rabbitmq"))
    return [
        Figure(f"{schedules:,} due at once: the last published", max(late), "s", at_most=LAST_SECONDS,
               beside=f"the middle one after {at(late, 0.5):.2f} s; computed: {cost}"),
        Figure("jobs of them", len({one.schedule_id for one in heard}), "", at_least=schedules,
               beside=f"{len(heard):,} messages"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crowd_due", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    tell(measure(parser.parse_args().schedules))


if __name__ == "__main__":
    main()
