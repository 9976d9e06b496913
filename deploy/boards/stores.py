"""Postgres and RabbitMQ: whether they answer, how fast, and how much room they have."""

from __future__ import annotations

from deploy.boards import rabbitmq
from deploy.boards.panel import BYTES, PER_SECOND, SECONDS, Board, Row, curve, stack
from deploy.boards.promql import most, per_second, quantile, rate, total
from wire.metrics import table

BOARD = Board(
    "warren-stores",
    "Warren: Postgres and RabbitMQ",
    "Whether they answer, how fast, and how much room they have.",
    (
        Row("Postgres, as Warren sees it", (
            curve("Calls, 95 of 100", "With the wait for a connection, by role.",
                  (quantile(0.95, table.DATABASE_SECONDS, "role"), "{{role}}"), unit=SECONDS),
            curve("Calls", "A second, by role.", (per_second(table.DATABASE_SECONDS, "role"), "{{role}}"),
                  unit=PER_SECOND),
            curve("Calls for which it was away", "A second, by role. Jobs wait meanwhile, and none is lost.",
                  (rate(table.DATABASE_FAILURES, "role"), "{{role}}"), unit=PER_SECOND),
            stack("Pools", "Connections of all pools, by use.", (total(table.POOL, "use"), "{{use}}")),
            curve("Sessions", "By what they do; `idle in transaction` should be short.",
                  (total(table.DATABASE_SESSIONS, "state"), "{{state}}"),
                  (most(table.DATABASE_SESSIONS_MOST), "limit")),
            curve("Size", "Of the whole database.", (most(table.DATABASE_BYTES), "size"), unit=BYTES),
        )),
        Row("RabbitMQ, as Warren sees it", (
            curve("Connections that stand", "By role.", (total(table.BROKER_CONNECTED, "role"), "{{role}}")),
            curve("Connections that are blocked", "An alarm: RabbitMQ takes nothing from publishers.",
                  (total(table.BROKER_BLOCKED, "role"), "{{role}}")),
            curve("Blocked, share of the time", "By role.",
                  (rate(table.BROKER_BLOCKED_SECONDS, "role"), "{{role}}")),
            curve("Connections made", "A second. More than a few: the broker or the network comes and goes.",
                  (rate(table.BROKER_CONNECTS, "role"), "{{role}}"), unit=PER_SECOND),
        )),
        Row("RabbitMQ, as it sees itself", (
            stack("Messages", "In all queues.",
                  (total(rabbitmq.READY), "ready"), (total(rabbitmq.UNACKED), "held by consumers")),
            curve("Through it", "Messages a second.",
                  (rate(rabbitmq.RECEIVED), "published"), (rate(rabbitmq.CONFIRMED), "confirmed"),
                  (rate(rabbitmq.DELIVERED), "delivered"), (rate(rabbitmq.REDELIVERED), "redelivered"),
                  unit=PER_SECOND),
            curve("Clients", "What is open.",
                  (total(rabbitmq.CONNECTIONS), "connections"), (total(rabbitmq.CHANNELS), "channels"),
                  (total(rabbitmq.CONSUMERS), "consumers"), (total(rabbitmq.QUEUES), "queues")),
            curve("Memory", "At the limit it takes nothing from publishers.",
                  (total(rabbitmq.MEMORY, "instance"), "{{instance}}"),
                  (total(rabbitmq.MEMORY_LIMIT, "instance"), "{{instance}} limit"), unit=BYTES),
            curve("Free disk", "Below the limit it takes nothing from publishers.",
                  (total(rabbitmq.DISK_FREE, "instance"), "{{instance}}"),
                  (total(rabbitmq.DISK_LIMIT, "instance"), "{{instance}} limit"), unit=BYTES),
            curve("Files and sockets", "At the limit it takes no new connection.",
                  (total(rabbitmq.FILES, "instance"), "{{instance}}"),
                  (total(rabbitmq.FILES_LIMIT, "instance"), "{{instance}} limit")),
            curve("Alarms", "1 while one stands.",
                  (most(rabbitmq.MEMORY_ALARM), "memory"), (most(rabbitmq.DISK_ALARM), "disk")),
        )),
    ),
)  # fmt: skip
