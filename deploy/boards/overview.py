"""The first look: is it well, how much goes through, what does it need."""

from __future__ import annotations

from deploy.boards.panel import BYTES, CORES, PER_SECOND, SECONDS, SHARE, Board, Row, bars, curve, number, stack
from deploy.boards.promql import increase, most, quantile, rate, total, typical
from wire.metrics import table

ENDED = increase(table.JOBS_COMPLETED, over="1h")
GOOD = increase(table.JOBS_COMPLETED, over="1h", status="completed")

BOARD = Board(
    "warren-overview",
    "Warren: overview",
    "Is it well, how much goes through, what does it need. The other dashboards say why.",
    (
        Row("Business", (
            number("Jobs in an hour", "Jobs that got their row within the last hour, by whichever door.",
                   increase(table.JOBS_SUBMITTED, over="1h")),
            number("Success in an hour", "Of the jobs that ended: how many completed. Cancelled ones count as ended.",
                   f"{GOOD} / ({ENDED} > 0)", SHARE, amber=0.99, red=0.95, good_is_high=True),
            number("Open jobs", "Scheduled, queued, running or waiting for a retry.",
                   total(table.JOBS, state="scheduled|queued|running|retrying")),
            number("Oldest due job", "For how long the job that waits longest could have run. It should stay near 0.",
                   most(table.QUEUE_OLDEST), SECONDS, amber=60, red=300),
            number("Dead letters", "Messages that nobody can do and nobody has looked after. Each wants a look.",
                   f"{total(table.LETTERS)} or vector(0)", amber=1, red=100),
            number("Workers that consume", "Worker processes whose subscriptions stand. 0: nothing runs.",
                   most(table.WORKERS_CONSUMING), amber=2, red=1, good_is_high=True),
            bars("Most used types", "Jobs submitted in the last hour, by type.",
                 f"topk(10, {increase(table.JOBS_SUBMITTED, 'type', over='1h')})", "{{type}}"),
            stack("Jobs by state", "Rows as they stand; what has ended stays until its retention is over.",
                  (total(table.JOBS, "state"), "{{state}}")),
        )),
        Row("Flow", (
            stack("Submitted", "Jobs a second, by type.", (rate(table.JOBS_SUBMITTED, "type"), "{{type}}"),
                  unit=PER_SECOND),
            stack("Ended", "Jobs a second, by the state that they ended in.",
                  (rate(table.JOBS_COMPLETED, "status"), "{{status}}"), unit=PER_SECOND),
            curve("Submit to start", "From when a job was due to the start of its attempt.",
                  (quantile(0.5, table.WAIT), "half"), (quantile(0.95, table.WAIT), "95 of 100"),
                  (quantile(0.99, table.WAIT), "99 of 100"), unit=SECONDS),
            curve("Start to end, 95 of 100", "How long attempts run, by type.",
                  (quantile(0.95, table.EXECUTION, "type"), "{{type}}"), unit=SECONDS),
            stack("Submitted, by door", "gateway: HTTP, gRPC; recorder: AMQP; scheduler: SQL; workers: children.",
                  (rate(table.JOBS_SUBMITTED, "role"), "{{role}}"), unit=PER_SECOND),
            curve("HTTP and gRPC answers", "Answers a second, by status.",
                  (rate(table.REQUESTS, "status"), "{{status}}"), (rate(table.CALLS, "code"), "gRPC {{code}}"),
                  unit=PER_SECOND),
            curve("HTTP latency", "Time to the answer, all routes together; one that waits for a job takes its time.",
                  (quantile(0.5, table.REQUEST_SECONDS), "half"), (quantile(0.95, table.REQUEST_SECONDS), "95 of 100"),
                  (quantile(0.99, table.REQUEST_SECONDS), "99 of 100"), unit=SECONDS),
            curve("HTTP and gRPC, 95 of 100", "Time to the answer; one that waits for a job takes its time.",
                  (quantile(0.95, table.REQUEST_SECONDS, "route"), "{{route}}"),
                  (quantile(0.95, table.CALL_SECONDS, "method"), "{{method}}"), unit=SECONDS),
        )),
        Row("Processes and hosts", (
            stack("Processor, by role", "Cores that Warren's own processes use.",
                  (rate(table.CPU, "role"), "{{role}}"), unit=CORES),
            stack("Memory, by role", "Resident memory of Warren's own processes.",
                  (total(table.MEMORY, "role"), "{{role}}"), unit=BYTES),
            stack("Processor of a host", "Cores, by what they were for; the mean of the hosts.",
                  (typical(table.HOST_CPU, "mode"), "{{mode}}"), unit=CORES),
            curve("Memory of the hosts", "The greatest that a process sees.",
                  (most(table.HOST_MEMORY, "kind"), "{{kind}}"), unit=BYTES),
            curve("Load of the hosts", "Processes that run or wait to.", (most(table.HOST_LOAD), "load")),
            curve("Sessions of Postgres", "All clients together; at the limit nobody new comes in.",
                  (total(table.DATABASE_SESSIONS), "sessions"), (most(table.DATABASE_SESSIONS_MOST), "limit")),
        )),
    ),
)  # fmt: skip
