"""Workers: how many there are, how busy, and what their lanes do."""

from __future__ import annotations

from deploy.boards.panel import BYTES, CORES, PER_SECOND, SECONDS, SHARE, Board, Row, curve, stack
from deploy.boards.promql import increase, mean, most, quantile, rate, total
from wire.metrics import table

BUSY = f"1 - {total(table.CLUSTER_SLOTS_FREE)} / {total(table.CLUSTER_SLOTS)}"

BOARD = Board(
    "warren-workers",
    "Warren: workers",
    "How many there are, how busy they are, and what their lanes do.",
    (
        Row("The crew", (
            curve("Processes", "Those that live by their heartbeats, and of them those that consume. A gap between the "
                  "two is a worker that is deaf or drains.",
                  (most(table.ACTIVE_WORKERS), "alive"), (most(table.WORKERS_CONSUMING), "consuming")),
            curve("Busy", "Share of all slots that are taken. At 1 for long: add workers.", (BUSY, "busy"), unit=SHARE),
            curve("Slots", "Jobs that may run at once, and how many of these are free.",
                  (total(table.CLUSTER_SLOTS), "slots"), (total(table.CLUSTER_SLOTS_FREE), "free")),
            curve("Deaths", "Worker processes that ended otherwise than asked to, in five minutes.",
                  (increase(table.DEATHS, over="5m"), "deaths")),
        )),
        Row("In the lanes", (
            curve("Running", "Attempts under way.", (total(table.RUNNING), "running")),
            curve("Prefetch and buffer", "Deliveries that are asked for at once, and those that are held and not "
                  "claimed yet.", (total(table.PREFETCH), "prefetch"), (total(table.BUFFERED), "buffered")),
            curve("Batch size", "How many one statement, publish or ack is for: the larger, the cheaper a job.",
                  (mean(table.BATCH_SIZE, "step", "role"), "{{role}} {{step}}")),
            curve("Batch time, 95 of 100", "With its waits for the store.",
                  (quantile(0.95, table.BATCH_SECONDS, "step", "role"), "{{role}} {{step}}"), unit=SECONDS),
            stack("Deliveries, by answer", "What the claim said of each: start, or why not.",
                  (rate(table.DELIVERIES, "answer"), "{{answer}}"), unit=PER_SECOND),
            curve("Loop lag, 99 of 100", "How much later than asked event loops wake up. Above 0.1 s: something blocks "
                  "them.", (quantile(0.99, table.LOOP_LAG, "role"), "{{role}}"), unit=SECONDS),
        )),
        Row("Child processes", (
            curve("Child processes", "For jobs that run apart: those that have one in hand, and those that wait for "
                  "the next.", (total(table.CHILDREN, "use"), "{{use}}")),
            curve("Jobs that wait for one", "Held in a worker until a child process is free. Above 0 for long: more "
                  "of them (WARREN_CHILDREN), or more workers.", (total(table.WAITING_FOR_CHILD), "wait")),
            curve("Started and ended", "In five minutes, and why they ended. memory: they took more than their type "
                  "may. deaf: they did not stop when they were asked. crashed: by a library, or by the kernel.",
                  (increase(table.CHILDREN_STARTED, over="5m"), "started"),
                  (increase(table.CHILDREN_ENDED, "why", over="5m"), "{{why}}")),
            curve("Memory of child processes", "What they hold for themselves.",
                  (total(table.CHILDREN_MEMORY), "held"), unit=BYTES),
        )),
        Row("What they need", (
            stack("Processor", "Cores, by process group.",
                  (rate(table.CPU, "instance", role="workers"), "{{instance}}"), unit=CORES),
            stack("Memory", "Resident, by process group.",
                  (total(table.MEMORY, "instance", role="workers"), "{{instance}}"), unit=BYTES),
        )),
    ),
)  # fmt: skip
