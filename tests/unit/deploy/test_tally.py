"""The gate's last line speaks for all runs."""

from __future__ import annotations

from pathlib import Path

from deploy.tally import Tally, read

REPORT = '<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1.5"/></testsuites>'


def test_reports_are_added_up(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(REPORT)
    (tmp_path / "b.xml").write_text(REPORT)

    tally = read([tmp_path / "a.xml", tmp_path / "b.xml"])

    assert Tally(passed=8, failed=6, skipped=6, seconds=3.0) == tally
    assert "6 failed, 8 passed, 6 skipped in 3.00s" in tally.line()


def test_a_run_that_left_no_report_counts_as_a_failure(tmp_path: Path) -> None:
    assert 1 == read([tmp_path / "none.xml"]).failed
