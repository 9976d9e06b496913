"""A run's tables, its one sentence about noise, and the page that they are put on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench import page, plot, report, table
from tests.bench.drained import Drained
from tests.bench.figure import Figure
from tests.bench.machine import Machine
from tests.bench.options import NAMES, parse
from tests.bench.peers import contest, work
from tests.bench.peers.contestants import BARE, CELERY, DRAMATIQ, PEERS
from tests.bench.scenarios import SCENARIOS, Scenario, medians

BENCH = Path(__file__).parents[1] / "bench"


def standing(name: str, *rates: float, starts: list[float] | None = None) -> contest.Standing:
    turns = [Drained(1.0, rate, {"workers": 100.0, "postgres": 50.0}) for rate in rates]
    return contest.Standing(name, "1.0", "as it comes", 1_000, turns, starts or [])


def test_a_slow_reference_makes_a_run_noisy() -> None:
    assert "noisy, only the ratios" in table.verdict(7_999)
    assert "noisy" not in table.verdict(8_000)


def test_a_missed_bar_is_told_in_capitals() -> None:
    rows = table.figure_rows(
        {"drain": [Figure("rate", 10, "jobs/s", at_least=20), Figure("cost", 10, "µs", at_most=20)]}
    )

    assert ["rate", "10 jobs/s", "≥ 20", "MISSED", "", "drain"] == rows[1]
    assert ["cost", "10 µs", "≤ 20", "met", "", "drain"] == rows[2]


def test_a_table_of_a_page_keeps_its_columns() -> None:
    text = table.page([["who", "rate", "beside"], ["one|two", "1", "all"]])

    assert ["| who | rate | beside |", "| --- | ---: | --- |", "| one\\|two | 1 | all |"] == text.splitlines()


def test_ratios_are_of_the_same_round() -> None:
    """
    The second round met a machine that was half as fast; of the medians the ratio would be 10.
    """
    ours, theirs = standing("Warren", 100, 20, 40), standing("Celery", 10, 2, 2)

    assert 10 == contest.ratio(ours, theirs)
    assert 40 / 2 == contest.ratio(ours, standing("Celery", 2))


def test_the_bars_of_the_contest_are_those_of_the_issue() -> None:
    everybody = [
        standing("Warren", 60),
        standing(BARE.name, 100),
        standing(DRAMATIQ.name, 15),
        standing(CELERY.name, 6),
    ]
    found = {figure.name: figure for figure in contest.figures(everybody)}

    assert (0.6, True) == _told(found[f"drain, times {BARE.name}"])
    assert (4.0, True) == _told(found["drain, times Dramatiq"])
    assert (10.0, False) == _told(found["drain, times Celery"])


def test_a_peer_that_is_missing_leaves_its_bar_out() -> None:
    found = [figure.name for figure in contest.figures([standing("Warren", 60), standing(BARE.name, 100)])]

    assert ["drain, 2 processes", f"drain, times {BARE.name}"] == found


def test_each_round_begins_with_another_one() -> None:
    assert [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]] == [
        contest.turn(["a", "b", "c"], number) for number in range(4)
    ]


def test_the_titles_of_the_plot_say_what_was_found() -> None:
    everybody = [standing("Warren", 600, starts=[0.001, 0.003, 0.009]), standing(DRAMATIQ.name, 150)]
    everybody += [standing(CELERY.name, 50)]

    assert "Warren drains 4.0× as fast as Dramatiq, 12× as fast as Celery" == plot.drain_title(everybody)
    assert "Warren drains 600 jobs a second" == plot.drain_title(everybody[:1])
    assert "150   Warren 4.0×" == plot.drain_label(everybody[0], everybody[1])
    assert "Its jobs start after 3.0 ms" == plot.start_title(everybody)


def test_every_jobs_payload_has_200_bytes() -> None:
    payloads = [work.payload(), work.payload(sent=1_700_000_000.5), work.payload(sent=1_700_000_000.123456)]

    assert [200] * 3 == [len(work.encoded(payload)) for payload in payloads]


def test_several_runs_become_their_median() -> None:
    runs = [[Figure("rate", value, "jobs/s", at_least=2)] for value in (9, 1, 3)]

    assert [Figure("rate", 3, "jobs/s", at_least=2)] == medians(runs)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_takes_the_sizes_it_is_given(scenario: Scenario) -> None:
    assert scenario.fits()


def test_every_scenario_is_asked_and_on_the_page() -> None:
    """
    A module that measures and that nobody asks would be forgotten, and so would its bar.
    """
    asked = re.findall(r"^\| `(\w+)` \|", page.PAGE.read_text(), re.MULTILINE)
    measuring = {path.stem for path in BENCH.glob("*.py") if "\ndef measure(" in path.read_text()}

    assert sorted(NAMES) == sorted(asked)
    assert measuring == {scenario.name for scenario in SCENARIOS}


def test_every_peer_is_told_on_the_page_as_it_is_run() -> None:
    text = page.PAGE.read_text()

    assert [] == [peer.name for peer in (BARE, *PEERS) if f"`{peer.module.replace('.', '/')}.py`" not in text]


def test_a_run_is_put_between_the_marks_of_the_page() -> None:
    text = page.PAGE.read_text()

    for part in ("machine", "plot", "contest", "figures"):
        once = page.rewritten(text, part, "| new |")
        assert 1 == once.count("| new |")
        assert once == page.rewritten(once, part, "| new |")
    with pytest.raises(ValueError, match="lacks"):
        page.rewritten("# A page without marks", "figures", "| new |")


def test_a_kept_run_is_read_back_as_it_was(tmp_path: Path) -> None:
    machine = Machine(2, "one", "3.11", "3.10.8", "15.1", 0.1, 0.5)
    found = report.Report(
        machine,
        9_000.0,
        [standing("Warren", 60, starts=[0.001])],
        {"drain": [Figure("rate", 1.5, "jobs/s", at_least=1)]},
    )
    report.keep(found, tmp_path / "figures.json")

    assert found == report.kept(tmp_path / "figures.json")


def test_a_part_of_a_run_does_not_take_the_other_figures_off_the_page(tmp_path: Path) -> None:
    machine = Machine(2, "one", "3.11", "3.10.8", "15.1", 0.1, 0.5)
    found = report.Report(machine, 7_000.0, [], {"drain": [Figure("rate", 1.5, "jobs/s", at_least=2)]})
    copy = tmp_path / "performance.md"

    copy.write_text(page.PAGE.read_text())
    report.write_docs(found, NAMES, copy)
    assert "noisy" in copy.read_text()
    assert "| rate |" not in copy.read_text()
    report.write_docs(found, ["drain"], copy)
    assert "| rate | 1.5 jobs/s | ≥ 2 | MISSED |" in copy.read_text()


def test_an_unknown_scenario_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["drain", "drian"])

    assert "unknown: drian; there are peers, drain" in capsys.readouterr().err


def _told(figure: Figure) -> tuple[float, bool | None]:
    return round(figure.value, 3), figure.met
