"""The dashboards and the alert rules are those that the program writes, and ask for nothing that nobody tells."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations
from typing import Any

import pytest
import yaml

from deploy.boards import grafana, rabbitmq, runbook
from deploy.boards.__main__ import DEPLOY, files
from deploy.boards.alerts import ALERTS, UP
from deploy.boards.promql import mean, quantile, rate, total
from wire.metrics import table
from wire.metrics.kinds import Histogram

NAMES = {metric.name for metric in (*table.TABLE, *rabbitmq.TABLE, UP)}
HISTOGRAMS = {
    f"{m.name}_{part}" for m in table.TABLE if isinstance(m, Histogram) for part in ("bucket", "sum", "count")
}
SEEN_ELSEWHERE = {"warren_build_info", "process_open_fds", "process_start_time_seconds", "warren_worker_slots",
                  "warren_worker_slots_free", "warren_worker_processes",
                  "warren_worker_processes_consuming"}  # fmt: skip
BOARDS = [json.loads(text) for path, text in files().items() if path.suffix == ".json"]
EXPRESSIONS = [query.expression for board in grafana.BOARDS for panel in board.panels for query in panel.queries]
EXPRESSIONS += [alert.expression for alert in ALERTS]


def named(expression: str) -> set[str]:
    """The metrics in an expression: words before a brace or a bracket, or that look like one of ours."""
    return set(re.findall(r"\b((?:warren|rabbitmq|process|jobs?|queue|active)_\w+|up)\b(?!\")", expression))


def test_the_files_are_those_that_are_written() -> None:
    """
    If they are not: `python -m deploy.boards`.
    """
    assert {} == {str(path): text for path, text in files().items() if path.read_text() != text}
    assert {p for p in files() if p.suffix == ".json"} == set((DEPLOY / "grafana" / "dashboards").iterdir())


def test_no_panel_and_no_rule_names_a_metric_that_does_not_exist() -> None:
    asked = set().union(*map(named, EXPRESSIONS))

    assert set() == asked - NAMES - HISTOGRAMS
    assert len(asked) > 50


def test_every_metric_is_seen_somewhere() -> None:
    """
    Or it is told for nobody.
    """
    asked = set().union(*map(named, EXPRESSIONS))
    unseen = {m.name for m in table.TABLE if not {m.name, f"{m.name}_bucket", f"{m.name}_count"} & asked}

    assert SEEN_ELSEWHERE == unseen


@pytest.mark.parametrize(
    ("expression", "made"),
    [
        ("sum (queue_size)", lambda: total(table.QUEUE_SIZE)),
        ('sum by (queue) (queue_size{priority=~"1|2"})', lambda: total(table.QUEUE_SIZE, "queue", priority="1|2")),
        ('sum (queue_size{queue!="a"})', lambda: total(table.QUEUE_SIZE, queue="!a")),
        ("sum by (type) (rate(jobs_submitted_total[5m]))", lambda: rate(table.JOBS_SUBMITTED, "type", over="5m")),
        (
            "histogram_quantile(0.95, sum by (le, type) (rate(job_execution_seconds_bucket[5m])))",
            lambda: quantile(0.95, table.EXECUTION, "type", over="5m"),
        ),
        (
            "sum (rate(warren_batch_size_sum[5m])) / sum (rate(warren_batch_size_count[5m]))",
            lambda: mean(table.BATCH_SIZE, over="5m"),
        ),
    ],
)
def test_an_expression_is_made_of_a_metric(expression: str, made: Any) -> None:
    assert expression == made()


def test_a_label_that_a_metric_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="queue_size has no label type; it has instance, job, priority, queue, role"):
        total(table.QUEUE_SIZE, "type")


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board["uid"]))
def test_a_board_is_whole(board: dict[str, Any]) -> None:
    panels = board["panels"]
    places = [panel["gridPos"] for panel in panels]

    assert len(panels) == len({panel["id"] for panel in panels})
    assert [] == [
        panel["title"]
        for panel in panels
        if not (panel["type"] == "row" or panel.get("description") or panel["type"] == "text")
    ]
    assert [] == [place for place in places if place["x"] + place["w"] > 24]
    assert [] == [(a, b) for a, b in combinations(places, 2) if overlap(a, b)]
    assert {"uid", "title", "schemaVersion", "panels", "time", "refresh"} <= set(board)


def overlap(a: dict[str, int], b: dict[str, int]) -> bool:
    return (
        a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
    )


def test_the_boards_have_names_of_their_own() -> None:
    titles = Counter(panel["title"] for board in BOARDS for panel in board["panels"] if panel["type"] == "row")

    assert 8 == len({board["uid"] for board in BOARDS})
    assert [] == [title for title, count in titles.items() if count > 1]


def test_every_alert_leads_to_a_symptom_of_the_runbook_and_every_symptom_says_what_to_do() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    pages = next(board for board in BOARDS if board["uid"] == runbook.UID)["panels"]
    led = {alert.name: pages[int(rule["annotations"]["runbook_url"].rpartition("=")[2]) - 1]["title"]
           for alert, rule in zip(ALERTS, rules, strict=True)}  # fmt: skip

    assert {alert.name: alert.symptom for alert in ALERTS} == led
    assert set(runbook.symptoms()) == {alert.symptom for alert in ALERTS}
    assert [] == [
        heading for heading, text in runbook.symptoms().items() if not ("**Look.**" in text and "**Worked**" in text)
    ]


def test_the_runbook_names_panels_that_exist() -> None:
    """
    What stands between asterisks is a panel, a dashboard, or a word of one.
    """
    titles = {panel.title for board in grafana.BOARDS for panel in board.panels} | {b.title for b in grafana.BOARDS}
    text = runbook.FILE.read_text().replace("**", "")
    named_there = set(re.findall(r"\*([^*\n]+)\*", text)) - {
        "Warren: runbook",
        "alive",
        "consuming",
        "up",
        "open",
        "consumer",
    }

    assert [] == sorted(name for name in named_there if not any(name.lower() in title.lower() for title in titles))
