"""What the proof shows and what it ends with: the columns, the promises and their tests, the exit code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from deploy.proof import page
from deploy.proof.contestants import dramatiq_version
from deploy.proof.ledger import Recorded, ledger
from deploy.proof.promises import PROMISES
from deploy.proof.proving import exit_code
from deploy.proof.witness import parse

ROOT = Path(__file__).parents[3]
LINES = [parse(line) for line in ("+ a 100 1.0", "- a 100 1.1")]
STANDS = ledger({"a": 0.0}, LINES, recorded=Recorded(completed=1, twice=0, unfinished=0))
LOST = ledger({"a": 0.0, "b": 0.0}, LINES)
NODES = sorted({test for promise in PROMISES for test in promise.tests})


def test_a_lost_job_makes_it_end_with_1() -> None:
    assert (0, 1) == (exit_code(STANDS), exit_code(LOST))


def test_the_verdict_says_what_is_wrong() -> None:
    assert "All 1 accepted jobs were done and recorded once; none was lost." in page.verdict(STANDS)
    assert "FAILED: 1 lost" in page.verdict(LOST)


def test_a_contestant_without_a_record_has_a_dash_in_its_rows() -> None:
    rows = {
        line[2:26].strip(): line[26:].split() for line in page.ledgers({"Warren": STANDS, "Peer": LOST}).splitlines()
    }

    assert (["0", "1"], ["0", "–"], ["1", "2"]) == (rows["lost"], rows["recorded twice"], rows["accepted"])


def test_the_columns_are_aligned() -> None:
    lines = page.ledgers({"Warren": STANDS, "Dramatiq 2.2.1": LOST}).strip("\n").splitlines()

    assert 1 == len({len(line) for line in lines})


def test_a_stall_is_told_with_what_came_before_it() -> None:
    lines = [parse(line) for line in ("+ a 100 1.0", "- a 100 1.1", "+ b 100 9.0", "- b 100 9.1")]
    accepted, strikes = {"a": 0.0, "b": 0.5}, [(0.2, "a worker killed"), (2.0, "RabbitMQ killed"), (9.5, "Postgres")]

    assert "RabbitMQ killed" in page.stall(ledger(accepted, lines, strikes=strikes))
    assert "only the purged jobs were left" in page.stall(ledger(accepted, lines, strikes=strikes, purged={"b"}))


def test_every_promise_is_guarded() -> None:
    """
    The page said for weeks after the clock had come that schedules were still to come.
    """
    assert list(range(1, 11)) == [promise.number for promise in PROMISES]
    assert [] == [promise.number for promise in PROMISES if not promise.tests]
    assert "later" not in page.promises(200)


@pytest.mark.parametrize("node", NODES)
def test_a_named_test_exists(node: str) -> None:
    path, _, name = node.partition("::")
    functions = {
        found.name
        for found in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert name.startswith("test_")
    assert name in functions


@pytest.mark.parametrize("width", [80, 200])
def test_the_promises_fit_on_the_screen(width: int) -> None:
    """
    Where a test's name does not fit, its file does.
    """
    lines = page.promises(width).splitlines()

    assert [] == [line for line in lines if len(line) > width]
    assert (10 if width == 200 else 0) == sum("::" in line for line in lines)


def test_the_peer_is_named_with_the_version_that_is_installed() -> None:
    assert re.fullmatch(r"2\.\d+\.\d+", dramatiq_version())
