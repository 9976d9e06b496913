"""The clock: schedules, what waits for a time, and the loops that let it out."""

from __future__ import annotations

from deploy.boards.panel import PER_SECOND, SECONDS, Board, Row, curve, stack
from deploy.boards.promql import increase, most, or_zero, per_second, quantile, rate, total
from wire.metrics import table

BOARD = Board(
    "warren-clock",
    "Warren: the clock",
    "Schedules, what waits for a time, and the scheduler's loops that let it out.",
    (
        Row("Schedules", (
            curve("Runs", "Due times a second, by what became of them. Skipped: the run before was still open, or "
                  "nobody knows the type.", (or_zero(rate(table.SCHEDULE_RUNS, "fate")), "{{fate}}"), unit=PER_SECOND),
            curve("How late", "From the moment of a run to RabbitMQ's confirm of its job: half of them, and 99 of 100. "
                  "Above 1 s: Postgres or RabbitMQ is slow, or too much is due in the same second.",
                  (quantile(0.5, table.SCHEDULE_LAG), "half"), (quantile(0.99, table.SCHEDULE_LAG), "99 of 100"),
                  unit=SECONDS),
            curve("Missed in an hour", "Due times that passed while no clock ran; each schedule decides whether they "
                  "are caught up.", (or_zero(increase(table.SCHEDULE_RUNS, over="1h", fate="missed")), "missed")),
            stack("Segments", "128 in all, shared out among the schedulers. Fewer: the schedules of the others stand "
                  "still.", (total(table.SEGMENTS, "instance"), "{{instance}}")),
            curve("Age of the last turn", "The loop that makes the runs has two turns a second. Rising: it stands "
                  "still, and another clock takes over after eight seconds.",
                  (most(table.CLOCK_TURN_AGE, "instance"), "{{instance}}"), unit=SECONDS),
            stack("By state", "Each counted up to a hundred thousand.",
                  (total(table.SCHEDULES, "state"), "{{state}}")),
            curve("Behind", "For how long the schedule that waits longest should have had its turn: near 0 while the "
                  "clocks keep up.", (most(table.SCHEDULES_BEHIND), "behind"), unit=SECONDS),
            curve("Loaded", "Schedules that are due within four seconds.",
                  (total(table.CLOCK_AHEAD, "instance"), "{{instance}}")),
        )),
        Row("What waits for its time", (
            stack("Scheduled and retrying", "Rows of jobs whose time has not come.",
                  (or_zero(total(table.JOBS, "state", state="scheduled|retrying")), "{{state}}")),
            curve("Delayed messages", "In RabbitMQ's ladder: they wait there and in no worker.",
                  (most(table.DELAYED), "delayed")),
            stack("The ladder, by level", "Level n holds a message for 0.1 · 2ⁿ seconds.",
                  (total(table.LADDER, "level"), "{{level}}")),
        )),
        Row("The outbox", (
            curve("Rows", "Messages that RabbitMQ has not confirmed yet: near 0, but for moments.",
                  (most(table.OUTBOX_ROWS), "rows")),
            curve("Oldest", "For how long the oldest should have been published. Rising: the broker is away or "
                  "blocked, or no scheduler runs.", (most(table.OUTBOX_OLDEST), "oldest"), unit=SECONDS),
        )),
        Row("The scheduler", (
            curve("Schedulers that lead", "One tells the figures of the cluster; 0: none lives.",
                  (total(table.LEADS), "leads")),
            curve("Rounds", "A second, by loop: a loop that stands still is missing here.",
                  (per_second(table.ROUNDS, "loop"), "{{loop}}"), unit=PER_SECOND),
            curve("Round, 95 of 100", "How long a round takes.", (quantile(0.95, table.ROUNDS, "loop"), "{{loop}}"),
                  unit=SECONDS),
            curve("Rounds that failed", "A store was away, or worse: its log says which.",
                  (or_zero(rate(table.ROUNDS_FAILED, "loop")), "{{loop}}"), unit=PER_SECOND),
        )),
    ),
)  # fmt: skip
