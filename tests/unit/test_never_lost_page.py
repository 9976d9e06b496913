"""The page on what can happen to a job names a test for each promise; each of them exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "never-lost.md").read_text()
PROMISES = PAGE.split("## A process dies", 1)[1].split("## Honest limits", 1)[0]
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_test_on_the_page_exists() -> None:
    named = PROOF.findall(PAGE)

    assert [] == [f"{file}::{name}" for file, name in named if name not in _functions(ROOT / file)]
    assert len(named) > 80


def test_every_promise_on_the_page_names_its_test() -> None:
    promises = [block for block in PROMISES.split("\n\n") if block.startswith("**")]

    assert [] == [block.splitlines()[0] for block in promises if not PROOF.search(block)]
    assert len(promises) > 40


def test_no_proof_is_named_for_two_promises() -> None:
    """Or the page would look better than it is."""
    named = PROOF.findall(PROMISES)

    assert sorted(set(named)) == sorted(named)


def test_nothing_else_stands_between_the_promises() -> None:
    """A paragraph that begins otherwise would be a promise without a proof."""
    blocks = [block.strip() for block in PROMISES.split("\n\n")]

    assert [] == [block for block in blocks if block and not block.startswith(("**", "## "))]


def _functions(file: Path) -> set[str]:
    if not file.exists():
        return set()
    body = ast.parse(file.read_text()).body  # what stands in a function is collected by nobody
    classes = [node for node in body if isinstance(node, ast.ClassDef) and node.name.startswith("Test")]
    nodes = [*body, *(node for one in classes for node in one.body)]
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
