"""Figures: counted, added up, written; and a table whose names Prometheus takes."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from wire.metrics import exposition, table
from wire.metrics.kinds import ALL, Counter, Gauge, Histogram
from wire.metrics.snapshot import Snapshot, decode, encode, summed, without_gauges
from wire.metrics.table import TABLE

PROMISED = {"jobs_submitted_total", "jobs_completed_total", "job_execution_seconds", "queue_size", "active_workers"}
ENDLESS = {"id", "job_id", "worker", "host", "error", "path", "user", "key"}


def test_a_counter_counts_by_its_labels() -> None:
    counter = Counter("a_total", "", ("type",), roles=ALL)
    counter.add("echo")
    counter.add("echo", by=2)
    counter.begin(("sleep",), ("echo",))

    assert {("echo",): 3.0, ("sleep",): 0.0} == counter.values


def test_what_is_gone_from_a_gauge_is_told_no_more() -> None:
    gauge = Gauge("a", "", ("queue",), roles=ALL)
    gauge.set(3, "old")
    gauge.replace({("new",): True})

    assert {("new",): 1.0} == gauge.values


@pytest.mark.parametrize(("value", "bucket"), [(0.0, 0), (1.0, 0), (1.1, 1), (2.0, 1), (2.1, 2), (1e9, 2)])
def test_a_value_counts_in_the_first_bucket_that_holds_it(value: float, bucket: int) -> None:
    histogram = Histogram("a", "", roles=ALL, bounds=(1.0, 2.0))
    histogram.observe(value)

    assert [value, *(float(n == bucket) for n in range(3))] == histogram.values[()]


def test_the_text_is_what_prometheus_reads() -> None:
    snapshot: Snapshot = {
        "jobs_submitted_total": {("echo",): [3.0], ('a"b\\c\n',): [0.5]},
        "queue_size": {},
        "warren_database_call_seconds": {(): [2.5] + [0.0] * 3 + [1.0] * 2 + [0.0] * 8 + [1.0]},
    }
    lines = exposition.text(snapshot).splitlines()

    assert "# TYPE jobs_submitted_total counter" in lines
    assert 'jobs_submitted_total{type="a\\"b\\\\c\\n"} 0.5' in lines
    assert 'jobs_submitted_total{type="echo"} 3' in lines
    assert "# TYPE queue_size gauge" in lines  # announced, with nothing in it
    assert 'warren_database_call_seconds_bucket{le="0.0025"} 0' in lines
    assert 'warren_database_call_seconds_bucket{le="0.01"} 1' in lines
    assert 'warren_database_call_seconds_bucket{le="10"} 2' in lines
    assert 'warren_database_call_seconds_bucket{le="+Inf"} 3' in lines
    assert "warren_database_call_seconds_sum 2.5" in lines
    assert "warren_database_call_seconds_count 3" in lines


def test_several_processes_are_one_sum() -> None:
    one: Snapshot = {"jobs_submitted_total": {("echo",): [1.0]}, "warren_worker_slots": {(): [100.0]}}
    other: Snapshot = {
        "jobs_submitted_total": {("echo",): [2.0], ("sleep",): [5.0]},
        "warren_worker_slots": {(): [50.0]},
        "job_execution_seconds": {("echo",): [0.5, 1.0]},
    }
    total = summed([one, other, other])

    assert {("echo",): [5.0], ("sleep",): [10.0]} == total["jobs_submitted_total"]
    assert {(): [200.0]} == total["warren_worker_slots"]
    assert {("echo",): [1.0, 2.0]} == total["job_execution_seconds"]
    assert {("echo",): [1.0]} == one["jobs_submitted_total"]  # what was added up is as it was


def test_who_has_ended_leaves_what_he_counted_and_nothing_that_stood() -> None:
    left = without_gauges({"jobs_submitted_total": {("echo",): [1.0]}, "warren_worker_slots": {(): [100.0]}})

    assert {"jobs_submitted_total": {("echo",): [1.0]}} == left


def test_a_snapshot_survives_its_way() -> None:
    snapshot: Snapshot = {
        "jobs_submitted_total": {("echo",): [1.0]}, "warren_duplicates_total": {(): [2.0]},
        "job_execution_seconds": {("echo",): [0.25, 1.0, 0.0]},
    }  # fmt: skip

    assert snapshot == decode(encode(snapshot))


def test_the_table_has_the_names_that_are_promised_and_each_once() -> None:
    names = [metric.name for metric in TABLE]

    assert len(names) == len(set(names))
    assert PROMISED <= set(names)


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_wants_it(metric: table.Metric) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
    assert all(re.fullmatch(r"[a-z]+", label) for label in metric.labels)
    assert metric.help
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    assert not set(metric.labels) & ENDLESS
    assert metric.name in PROMISED or metric.name.startswith(("warren_", "process_"))
    if isinstance(metric, Histogram):
        assert all(a < b for a, b in pairwise(metric.bounds))
