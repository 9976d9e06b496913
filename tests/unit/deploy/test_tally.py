"""The gate's last line speaks for all runs."""

from __future__ import annotations

from pathlib import Path

from deploy.gate.tally import read

REPORT = '<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1.5"/></testsuites>'


def test_reports_are_added_up(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(REPORT)
    (tmp_path / "b.xml").write_text(REPORT)

    tally = read([tmp_path / "a.xml", tmp_path / "b.xml"])

    assert (8, 6, 6, 3.0) == (tally.passed, tally.failed, tally.skipped, tally.seconds)
    assert "6 failed, 8 passed, 6 skipped in 3.00s" in tally.line()


def test_what_failed_is_told_once_more_before_the_sum(tmp_path: Path) -> None:
    said = "assert 1 == 2&#10;and all that the processes said" + 400 * "."
    (tmp_path / "a.xml").write_text(
        '<testsuite errors="1" failures="1" skipped="0" tests="3" time="1.5">'
        f'<testcase classname="tests.a" name="test_x"><failure message="{said}">long</failure></testcase>'
        '<testcase classname="tests.a" name="test_y"/>'
        '<testcase classname="tests.a" name="test_z"><error message="no server"/></testcase></testsuite>'
    )

    first, second, last = read([tmp_path / "a.xml"]).lines().splitlines()

    assert first.startswith("FAILED tests.a::test_x - assert 1 == 2 and all that the processes said...")
    assert 300 == len(first)
    assert "FAILED tests.a::test_z - no server" == second
    assert "2 failed, 1 passed in 1.50s" in last


def test_a_run_that_left_no_report_counts_as_a_failure(tmp_path: Path) -> None:
    assert 1 == read([tmp_path / "none.xml"]).failed
