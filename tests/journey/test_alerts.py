"""Each alert rings when it should and is silent when it nearly should: promtool plays both to it.

The long form alone, for it needs Prometheus' own tool (tests/prometheus.py); it takes a second.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.boards.__main__ import DEPLOY
from deploy.boards.alerts import ALERTS
from tests import prometheus

pytestmark = pytest.mark.long
MINUTES = 30

DEPTH = 'queue_size{queue="mail",priority="5"}'
OLDEST = 'warren_queue_oldest_seconds{queue="mail",priority="5"}'
CONSUMERS, PAUSED = 'warren_queue_consumers{queue="mail"}', 'warren_queue_paused{queue="mail"}'
COMPLETED = 'jobs_completed_total{type="mail",status="completed"}'
FAILED = 'jobs_completed_total{type="mail",status="failed"}'
LATE = 'warren_schedule_lag_seconds_bucket{le="%s"}'
LAG = 'warren_loop_lag_seconds_bucket{role="workers",le="%s"}'


def stays(value: float) -> str:
    return f"{value:g}+0x{MINUTES}"


def grows(by: float) -> str:
    """By so much a minute."""
    return f"0+{by:g}x{MINUTES}"


@dataclass(frozen=True, slots=True)
class Case:
    rings: dict[str, str]
    silent: dict[str, str]


CASES = {
    "WarrenOldestJobTooOld": Case(
        {OLDEST: stays(400), PAUSED: stays(0)}, {OLDEST: stays(400), PAUSED: stays(1)}
    ),
    "WarrenQueueWithoutConsumer": Case(
        {CONSUMERS: stays(0), DEPTH: stays(3), PAUSED: stays(0)}, {CONSUMERS: stays(0), DEPTH: stays(0)}
    ),
    "WarrenNoWorker": Case({"warren_workers_consuming": stays(0)}, {"warren_workers_consuming": stays(1)}),
    "WarrenDeafWorker": Case(
        {"active_workers": stays(4), "warren_workers_consuming": stays(3)},
        {"active_workers": stays(4), "warren_workers_consuming": stays(4)},
    ),
    "WarrenWorkersDie": Case(
        {"warren_worker_deaths_total": grows(1)}, {"warren_worker_deaths_total": grows(0.2)}
    ),
    "WarrenPoison": Case(
        {'warren_failures_total{type="mail",reason="poison"}': f"_x10 1+0x{MINUTES}"},  # no series before the first
        {'warren_failures_total{type="mail",reason="exhausted"}': grows(5)},
    ),
    "WarrenErrorBudgetFast": Case(
        {COMPLETED: grows(80), FAILED: grows(20)}, {COMPLETED: grows(90), FAILED: grows(10)}
    ),
    "WarrenErrorBudgetSlow": Case(
        {COMPLETED: grows(90), FAILED: grows(10)}, {COMPLETED: grows(97), FAILED: grows(3)}
    ),
    "WarrenDeadLettersGrow": Case(
        {'warren_dead_letters_total{reason="malformed"}': grows(2), 'warren_dead_letters_total{reason="x"}': grows(1)},
        {'warren_dead_letters_total{reason="malformed"}': grows(1)},
    ),
    "WarrenRecorderBehind": Case(
        {'warren_broker_messages_ready{queue="births"}': stays(6000)},
        {'warren_broker_messages_ready{queue="work.mail"}': stays(60000)},
    ),
    "WarrenOutboxStuck": Case(
        {"warren_outbox_oldest_seconds": stays(90)}, {"warren_outbox_oldest_seconds": stays(30)}
    ),
    "WarrenClockStandsStill": Case(
        {'warren_cluster_reporter{instance="a"}': stays(0)},
        {'warren_cluster_reporter{instance="a"}': stays(0), 'warren_cluster_reporter{instance="b"}': stays(1)},
    ),
    "WarrenSchedulesUnheld": Case(
        {'warren_clock_segments{instance="a"}': stays(64), 'warren_clock_segments{instance="b"}': stays(63)},
        {'warren_clock_segments{instance="a"}': stays(64), 'warren_clock_segments{instance="b"}': stays(64)},
    ),
    "WarrenSchedulesBehind": Case(
        {"warren_schedules_behind_seconds": stays(31)}, {"warren_schedules_behind_seconds": stays(29)}
    ),
    "WarrenClockLoopStands": Case(
        {'warren_clock_turn_age_seconds{instance="a"}': stays(31)},
        {'warren_clock_turn_age_seconds{instance="a"}': stays(5)},
    ),
    "WarrenRunsLate": Case(
        {LATE % "1": grows(5), LATE % "5": grows(99), LATE % "+Inf": grows(99)},
        {LATE % "1": grows(99), LATE % "5": grows(99), LATE % "+Inf": grows(99)},
    ),
    "WarrenRunsMissed": Case(
        {'warren_schedule_runs_total{kind="due",fate="missed"}': grows(1)},
        {'warren_schedule_runs_total{kind="due",fate="missed"}': stays(7)},
    ),
    "WarrenClockFails": Case(
        {'warren_rounds_failed_total{loop="sweep"}': grows(6)}, {'warren_rounds_failed_total{loop="sweep"}': grows(1)}
    ),
    "WarrenBrokerAlarm": Case(
        {'warren_broker_blocked{role="gateway"}': stays(0), "rabbitmq_alarms_free_disk_space_watermark": stays(1)},
        {'warren_broker_blocked{role="gateway"}': stays(0), "rabbitmq_alarms_free_disk_space_watermark": stays(0)},
    ),
    "WarrenBrokerAway": Case(
        {'warren_broker_connected{role="gateway",instance="a"}': stays(0)},
        {'warren_broker_connected{role="gateway",instance="a"}': stays(0),
         'warren_broker_connected{role="gateway",instance="b"}': stays(1)},
    ),
    "WarrenPostgresAway": Case(
        {'warren_database_away_total{role="gateway"}': grows(12)},
        {'warren_database_away_total{role="gateway"}': grows(1)},
    ),
    "WarrenPostgresFull": Case(
        {'warren_database_sessions{state="idle"}': stays(80), 'warren_database_sessions{state="active"}': stays(15),
         "warren_database_sessions_limit": stays(100)},
        {'warren_database_sessions{state="idle"}': stays(80), "warren_database_sessions_limit": stays(100)},
    ),
    "WarrenLoopBlocked": Case(
        {LAG % "1": grows(0), LAG % "5": grows(10), LAG % "+Inf": grows(10)},
        {LAG % "0.1": grows(10), LAG % "5": grows(10), LAG % "+Inf": grows(10)},
    ),
    "WarrenHttpRefuses": Case(
        {'warren_http_requests_total{method="POST",route="/api/v1/jobs",status="503"}': grows(90)},
        {'warren_http_requests_total{method="POST",route="/api/v1/jobs",status="422"}': grows(900),
         'warren_http_requests_total{method="POST",route="/api/v1/jobs",status="503"}': grows(5)},
    ),
    "WarrenChildrenDie": Case(
        {'warren_children_ended_total{why="memory"}': grows(1)},
        {'warren_children_ended_total{why="crashed"}': grows(0.2), 'warren_children_ended_total{why="idle"}': grows(9)},
    ),
    "WarrenMailWaits": Case(
        {'warren_mails_total{outcome="away"}': grows(1), 'warren_mails_total{outcome="taken"}': stays(7)},
        {'warren_mails_total{outcome="not_now"}': grows(5), 'warren_mails_total{outcome="taken"}': grows(0.2)},
    ),
    "WarrenProcessAway": Case(
        {'up{job="warren",role="gateway",instance="a"}': stays(0)},
        {'up{job="warren",role="gateway",instance="a"}': stays(1)},
    ),
}  # fmt: skip


def test_every_alert_has_a_case() -> None:
    assert {alert.name for alert in ALERTS} == set(CASES)


def test_each_alert_rings_and_is_silent_when_it_should(tmp_path: Path) -> None:
    played = [
        _played(name, series, rings)
        for name, case in CASES.items()
        for series, rings in ((case.rings, 1), (case.silent, 0))
    ]
    rules = str(DEPLOY / "prometheus" / "alerts.yml")
    told = {"rule_files": [rules], "evaluation_interval": "1m", "tests": played}
    (tmp_path / "played.yml").write_text(json.dumps(told))
    promtool = prometheus.binaries(tmp_path) / "promtool"
    ended = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "played.yml")], capture_output=True, text=True, check=False
    )

    assert 0 == ended.returncode, ended.stdout + ended.stderr


def _played(name: str, series: dict[str, str], rings: int) -> dict[str, object]:
    ringing = f'(count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0))'
    return {
        "name": f"{name} {'rings' if rings else 'is silent'}",
        "interval": "1m",
        "external_labels": {"grafana": "http://grafana"},
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [
            {"expr": ringing, "eval_time": f"{MINUTES}m", "exp_samples": [{"labels": "{}", "value": rings}]}
        ],
    }
