"""When to wake somebody, or to tell somebody in the morning; each alert names its page in deploy/RUNBOOK.md.

An alert is about what a user of Warren notices (jobs are late, jobs fail, messages are refused) or about what will be
noticed soon; a restart, a retry and a store that blinks are none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from deploy.boards import rabbitmq
from deploy.boards.failures import BUDGET, failed_share
from deploy.boards.promql import appeared, increase, most, quantile, rate, total
from wire.metrics import table
from wire.metrics.kinds import Gauge
from wire.segments import SEGMENTS

HEAD: Final = "# Written by `python -m deploy.boards`; change deploy/boards/alerts.py.\n"
UP: Final = Gauge("up", "1 where Prometheus could scrape", roles=())
NOT_PAUSED: Final = f"unless on (queue) {most(table.QUEUE_PAUSED, 'queue')} == 1"

NOT_OUT: Final = "not_now|away|in_doubt|broken"


@dataclass(frozen=True, slots=True)
class Alert:
    """`symptom` is a heading of the runbook; `page` wakes somebody, `ticket` waits until morning."""

    name: str
    expression: str
    minutes: int
    urgency: Literal["page", "ticket"]
    summary: str
    symptom: str


ALERTS: Final = (
    Alert("WarrenOldestJobTooOld", f"{most(table.QUEUE_OLDEST, 'queue')} > 300 {NOT_PAUSED}", 5, "page",
          "A job of queue {{ $labels.queue }} has been due for {{ $value | humanizeDuration }}",
          "Jobs start late"),
    Alert("WarrenQueueWithoutConsumer",
          f"({total(table.QUEUE_CONSUMERS, 'queue')} == 0 and on (queue) {total(table.QUEUE_SIZE, 'queue')} > 0) "
          f"{NOT_PAUSED}", 2, "page",
          "Jobs wait in queue {{ $labels.queue }} and no worker takes from it",
          "Nobody consumes a queue"),
    Alert("WarrenNoWorker", f"{most(table.WORKERS_CONSUMING)} == 0", 2, "page",
          "No worker consumes anything", "Nobody consumes a queue"),
    Alert("WarrenDeafWorker", f"{most(table.ACTIVE_WORKERS)} - {most(table.WORKERS_CONSUMING)} > 0", 10, "ticket",
          "{{ $value }} worker processes live and do not consume", "A worker is deaf"),
    Alert("WarrenWorkersDie", f"{increase(table.DEATHS, over='10m')} > 3", 0, "ticket",
          "{{ $value | humanize }} worker processes have died in ten minutes", "Workers die"),
    Alert("WarrenPoison",
          f"{increase(table.FAILURES, 'type', over='1h', reason='poison')} > 0"
          f" or {appeared(table.FAILURES, 'type', over='1h', reason='poison')} > 0", 0, "ticket",
          "Jobs of type {{ $labels.type }} have killed their workers", "Workers die"),
    Alert("WarrenChildrenDie", f"{increase(table.CHILDREN_ENDED, 'why', over='30m', why='crashed|memory')} > 10", 0,
          "ticket", "{{ $value | humanize }} child processes of workers have ended in half an hour: {{ $labels.why }}",
          "Workers die"),
    Alert("WarrenErrorBudgetFast",
          f"{failed_share('5m')} > {14.4 * BUDGET:g} and {failed_share('1h')} > {14.4 * BUDGET:g}", 2, "page",
          "{{ $value | humanizePercentage }} of the jobs fail: a month's budget is gone in two days",
          "Jobs fail"),
    Alert("WarrenErrorBudgetSlow",
          f"{failed_share('30m')} > {6 * BUDGET:g} and {failed_share('6h')} > {6 * BUDGET:g}", 15, "ticket",
          "{{ $value | humanizePercentage }} of the jobs fail: a month's budget is gone in five days",
          "Jobs fail"),
    Alert("WarrenDeadLettersGrow", f"{increase(table.LETTERS_KEPT, over='15m')} > 20", 5, "ticket",
          "{{ $value | humanize }} dead letters in a quarter of an hour", "Dead letters grow"),
    Alert("WarrenRecorderBehind", f"{total(table.BROKER_READY, 'queue', queue='births|dead|unrouted')} > 5000", 5,
          "page", "{{ $value | humanize }} messages wait in {{ $labels.queue }} for the recorder",
          "The recorder is behind"),
    Alert("WarrenOutboxStuck", f"{most(table.OUTBOX_OLDEST)} > 60", 2, "page",
          "A message should have been published {{ $value | humanizeDuration }} ago", "The outbox is stuck"),
    Alert("WarrenClockStandsStill", f"absent({most(table.LEADS)} == 1)", 2, "page",
          "No scheduler leads: what waits for a time does not come out", "The clock is late"),
    Alert("WarrenSchedulesUnheld", f"{total(table.SEGMENTS)} < {SEGMENTS}", 1, "page",
          "Of the 128 segments of the schedules {{ $value }} are held: what is due in the others does not run",
          "The clock is late"),
    Alert("WarrenSchedulesBehind", f"{most(table.SCHEDULES_BEHIND)} > 30", 1, "page",
          "A schedule should have had its turn {{ $value | humanizeDuration }} ago", "The clock is late"),
    Alert("WarrenClockLoopStands", f"{most(table.CLOCK_TURN_AGE, 'instance')} > 30", 0, "page",
          "The loop that makes the runs of {{ $labels.instance }} has not turned for {{ $value | humanizeDuration }}",
          "The clock is late"),
    Alert("WarrenRunsLate", f"{quantile(0.99, table.SCHEDULE_LAG, over='5m')} > 2", 5, "ticket",
          "Scheduled runs come {{ $value | humanizeDuration }} late", "The clock is late"),
    Alert("WarrenRunsMissed", f"{increase(table.SCHEDULE_RUNS, over='10m', fate='missed')} > 0", 0, "ticket",
          "{{ $value | humanize }} due times passed while no clock ran", "The clock is late"),
    Alert("WarrenClockFails", f"{rate(table.ROUNDS_FAILED, 'loop', over='5m')} > 0.05", 10, "ticket",
          "The scheduler's loop {{ $labels.loop }} fails again and again", "The clock is late"),
    Alert("WarrenBrokerAlarm",
          f"{total(table.BROKER_BLOCKED)} > 0 or {most(rabbitmq.MEMORY_ALARM)} == 1 or "
          f"{most(rabbitmq.DISK_ALARM)} == 1", 1, "page",
          "RabbitMQ has an alarm and takes no messages", "RabbitMQ takes nothing"),
    Alert("WarrenBrokerAway", f"{total(table.BROKER_CONNECTED, 'role')} == 0", 2, "page",
          "{{ $labels.role }} has no connection to RabbitMQ", "RabbitMQ takes nothing"),
    Alert("WarrenPostgresAway", f"{rate(table.DATABASE_FAILURES, 'role', over='5m')} > 0.1", 2, "page",
          "Postgres does not answer {{ $labels.role }}", "Postgres is away"),
    Alert("WarrenPostgresFull",
          f"{total(table.DATABASE_SESSIONS)} / {most(table.DATABASE_SESSIONS_MOST)} > 0.9", 5, "ticket",
          "Postgres has {{ $value | humanizePercentage }} of the sessions that it allows", "Postgres is away"),
    Alert("WarrenLoopBlocked", f"{quantile(0.99, table.LOOP_LAG, 'role', over='5m')} > 1", 10, "ticket",
          "Event loops of {{ $labels.role }} wake up {{ $value | humanizeDuration }} late", "A process is slow"),
    Alert("WarrenHttpRefuses",
          f"{rate(table.REQUESTS, over='5m', status='5..')} > 1", 5, "page",
          "The gateway answers {{ $value | humanize }} requests a second with 5xx", "The gateway answers 503"),
    Alert("WarrenMailWaits", f"{increase(table.MAILS, over='30m', outcome=NOT_OUT)} > 0 unless "
          f"{increase(table.MAILS, over='30m', outcome='taken|written')} > 0", 20, "ticket",
          "No mail has gone out for half an hour, and {{ $value | humanize }} tries were in vain",
          "Mail does not go out"),
    Alert("WarrenProcessAway", f'{most(UP, "role", "instance", job="warren")} == 0', 2, "ticket",
          "{{ $labels.role }} at {{ $labels.instance }} does not answer Prometheus", "A process is gone"),
)  # fmt: skip


def rules(links: dict[str, str]) -> str:
    """deploy/prometheus/alerts.yml; `links` leads from a symptom to its place in the runbook."""
    return HEAD + "groups:\n  - name: warren\n    rules:\n" + "".join(line for a in ALERTS for line in _rule(a, links))


def _rule(alert: Alert, links: dict[str, str]) -> Iterator[str]:
    yield f"      - alert: {alert.name}\n"
    yield f"        expr: {json.dumps(alert.expression)}\n"
    yield f"        for: {alert.minutes}m\n" if alert.minutes else ""
    yield f"        labels:\n          severity: {alert.urgency}\n"
    yield "        annotations:\n"
    yield f"          summary: {json.dumps(alert.summary)}\n"
    yield f"          runbook_url: {json.dumps(links[alert.symptom])}\n"
