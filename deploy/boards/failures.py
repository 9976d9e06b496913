"""Retries and failures: what goes wrong, how often, and whether it is getting worse."""

from __future__ import annotations

from deploy.boards.panel import PER_SECOND, SHARE, Board, Row, curve, stack
from deploy.boards.promql import increase, or_zero, rate, total
from wire.metrics import table

BUDGET = 0.01  # one job in a hundred may fail


def failed_share(over: str) -> str:
    """Of the jobs that completed or failed, how many failed; nothing where none ended."""
    failed = or_zero(rate(table.JOBS_COMPLETED, over=over, status="failed"))
    return f"({failed}) / ({rate(table.JOBS_COMPLETED, over=over, status='completed|failed')} > 0)"


BOARD = Board(
    "warren-failures",
    "Warren: retries and failures",
    "What goes wrong, how often, and whether it is getting worse.",
    (
        Row("Jobs", (
            curve("Share of jobs that fail", f"The budget is {BUDGET:.0%}. Cancelled and expired jobs do not count.",
                  (failed_share("5m"), "5 minutes"), (failed_share("1h"), "an hour"), (f"vector({BUDGET})", "budget"),
                  unit=SHARE),
            stack("Failed, by type and reason", "exhausted: no retry is left; permanent: none would help; timeout; "
                  "poison: its workers died.",
                  (or_zero(increase(table.FAILURES, "type", "reason", over="5m")), "{{type}} {{reason}}")),
            stack("Ended", "Jobs a second, by the state that they ended in.",
                  (rate(table.JOBS_COMPLETED, "status"), "{{status}}"), unit=PER_SECOND),
            stack("Ended, by type, without those that completed", "Which type is in trouble.",
                  (or_zero(rate(table.JOBS_COMPLETED, "type", "status", status="!completed")), "{{type}} {{status}}"),
                  unit=PER_SECOND),
        )),
        Row("Attempts", (
            stack("Attempts, by outcome", "superseded: an outcome that came too late, of a job that ran twice.",
                  (rate(table.ATTEMPTS, "outcome"), "{{outcome}}"), unit=PER_SECOND),
            stack("Retries, by type", "Attempts after which another one is planned because of an error.",
                  (rate(table.RETRIES, "type"), "{{type}}"), unit=PER_SECOND),
            curve("Starts after a crash", "Of jobs during which a worker has died before; the third such death of a "
                  "sole suspect makes it poison.",
                  (or_zero(increase(table.CRASH_STARTS, "type", over="5m")), "{{type}}")),
            curve("Duplicates dropped", "Deliveries of jobs that are done, gone, held elsewhere or on a later run. "
                  "Harmless; many of them mean that a publisher or the sweep says things twice.",
                  (rate(table.DUPLICATES), "duplicates"), unit=PER_SECOND),
        )),
        Row("Dead letters and refusals", (
            stack("Dead letters kept, in five minutes", "By why they were kept.",
                  (increase(table.LETTERS_KEPT, "reason", over="5m"), "{{reason}}")),
            stack("Dead letters open", "That nobody has redriven or discarded.",
                  (or_zero(total(table.LETTERS, "reason")), "{{reason}}")),
            curve("HTTP refusals", "400 to 499: what clients get wrong; 503: a store is away.",
                  (or_zero(rate(table.REQUESTS, "route", "status", status="4..|5..")), "{{status}} {{route}}"),
                  unit=PER_SECOND),
        )),
    ),
)  # fmt: skip
