"""Where Prometheus finds the figures of what `deploy/up` started."""

from __future__ import annotations

import json
from pathlib import Path

from deploy.defaults.scrape import CONFIG, FILE, Scrape

NAMES = ("recorder", "scheduler", "gateway", "workers")


def test_each_process_has_a_port_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    first, second = Scrape(tmp_path, {}), Scrape(tmp_path, {})
    first.choose(NAMES)
    second.choose(NAMES)

    assert 4 == len(set(first.ports.values()))
    assert first.ports == second.ports


def test_the_ports_follow_the_one_that_is_named(tmp_path: Path) -> None:
    named = Scrape(tmp_path, {"WARREN_METRICS_PORT": "9400"})
    named.choose(NAMES)

    assert {"WARREN_METRICS_PORT": "9403"} == named.environ("workers")
    assert ("gateway metrics", "http://127.0.0.1:9402/metrics") in named.facts()


def test_prometheus_can_read_where_they_are(tmp_path: Path) -> None:
    Scrape(tmp_path, {"WARREN_METRICS_PORT": "9400"}).choose(NAMES[:1], {"rabbitmq": 15692})
    config = json.loads((tmp_path / CONFIG).read_text())

    assert [
        {"targets": ["127.0.0.1:9400"], "labels": {"role": "recorder"}},
        {"targets": ["127.0.0.1:15692"], "labels": {"role": "rabbitmq"}},
    ] == json.loads((tmp_path / FILE).read_text())
    assert [{"files": [str(tmp_path / FILE)]}] == config["scrape_configs"][0]["file_sd_configs"]
    assert Path(config["rule_files"][0]).is_file()


def test_a_spoilt_file_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[{"targets": []}]')
    one = Scrape(tmp_path, {})
    one.choose(NAMES)

    assert set(NAMES) == set(one.ports)
