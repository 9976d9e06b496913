"""Queues and latency: what waits, where, since when, and who takes it."""

from __future__ import annotations

from deploy.boards.panel import PER_SECOND, SECONDS, Board, Row, curve, stack
from deploy.boards.promql import mean, most, per_second, quantile, total
from wire.metrics import table

BOARD = Board(
    "warren-queues",
    "Warren: queues and latency",
    "What waits, where, since when, and who takes it.",
    (
        Row("What waits for a worker", (
            curve("Oldest due job, by queue", "The figure to watch: it rises when a queue cannot keep up, whatever its "
                  "depth.", (most(table.QUEUE_OLDEST, "queue"), "{{queue}}"), unit=SECONDS),
            stack("Depth, by queue", "Jobs that are queued.", (total(table.QUEUE_SIZE, "queue"), "{{queue}}")),
            curve("Oldest due job, by priority", "Low priorities wait behind high ones, but never for ever.",
                  (most(table.QUEUE_OLDEST, "priority"), "priority {{priority}}"), unit=SECONDS),
            stack("Depth, by priority", "Jobs that are queued; 10 is the highest.",
                  (total(table.QUEUE_SIZE, "priority"), "priority {{priority}}")),
            curve("Consumers, by queue", "Worker processes that take from a queue. 0 with a depth: nobody serves it.",
                  (total(table.QUEUE_CONSUMERS, "queue"), "{{queue}}")),
            curve("Paused queues", "1 while somebody has paused it.",
                  (most(table.QUEUE_PAUSED, "queue"), "{{queue}}")),
        )),
        Row("How long it takes", (
            curve("Submit to start, half", "By queue.", (quantile(0.5, table.WAIT, "queue"), "{{queue}}"),
                  unit=SECONDS),
            curve("Submit to start, 95 of 100", "By queue.", (quantile(0.95, table.WAIT, "queue"), "{{queue}}"),
                  unit=SECONDS),
            curve("Starts", "Attempts a second, by queue.", (per_second(table.WAIT, "queue"), "{{queue}}"),
                  unit=PER_SECOND),
            curve("Start to end, mean", "By type.", (mean(table.EXECUTION, "type"), "{{type}}"), unit=SECONDS),
        )),
        Row("In RabbitMQ", (
            stack("Work queues", "Messages that nobody holds yet. Prefetched ones are with the workers.",
                  (total(table.BROKER_READY, "queue", queue="!births|dead|unrouted"), "{{queue}}")),
            curve("Births, dead, unrouted", "What the recorder empties. It rises when no recorder runs.",
                  (total(table.BROKER_READY, "queue", queue="births|dead|unrouted"), "{{queue}}")),
        )),
    ),
)  # fmt: skip
