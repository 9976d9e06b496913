"""The house keeps its shape: rooms without drawers, small files, and a README whose file names are true."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

import pytest

from tests.conftest import LONGEST

ROOT = Path(__file__).parents[2]
ROOMS = ("wire", "persistence", "actors", "gateway", "scheduler", "deploy")
DRAWERS = {"utils", "helpers", "common", "core", "base", "manager", "misc", "types"}
SOURCES = sorted(
    path
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
    if "versions" not in path.parts and "__pycache__" not in path.parts and "_pb2" not in path.stem  # generated
)


def test_no_room_has_a_drawer() -> None:
    assert set() == DRAWERS & {path.stem for path in SOURCES} | DRAWERS & {path.parent.name for path in SOURCES}


def test_files_are_small() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in SOURCES}

    assert [] == [str(path) for path, count in lines.items() if count > 400]
    assert statistics.median(lines.values()) <= 120


def test_functions_are_small() -> None:
    assert [] == [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 40
    ]


def test_every_file_says_why_it_is_there() -> None:
    assert [] == [str(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]


def test_file_names_in_the_code_are_true() -> None:
    """
    A docstring or a comment that sends its reader to a file which is gone is worse than none.
    """
    files = [path.relative_to(ROOT).as_posix() for path in (*SOURCES, *(ROOT / "tests").rglob("*.py"))]
    ends = {"/".join(parts[at:]) for parts in (file.split("/") for file in files) for at in range(len(parts))}
    named = {(path, name) for path in SOURCES for name in re.findall(r"(?<![\w./-])[a-z_/]+\.py\b", path.read_text())}

    assert [] == sorted(f"{path.relative_to(ROOT)}: {name}" for path, name in named if name not in ends)
    assert len(named) > 50


@pytest.mark.parametrize("page", ["README.md", *[f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")]])
def test_file_names_in_the_documents_are_true(page: str) -> None:
    text = (ROOT / page).read_text()
    named = set(re.findall(r"`([\w./-]+\.(?:py|yml|toml|md|lock))`", text)) | set(re.findall(r"\]\(([\w./-]+)\)", text))
    homes = [ROOT, ROOT / "actors", ROOT / "docs"]  # the README's picture drops the room where the line names it

    assert [] == sorted(name for name in named if not any((home / name).exists() for home in homes))


def test_names_in_the_life_of_a_job_are_files() -> None:
    picture = (ROOT / "README.md").read_text().split("## The life of a job")[1].split("```")[1]
    named = re.findall(r"([a-z_]+(?:/[a-z_]+)*\.py)", picture)

    rooms = [ROOT, *(ROOT / room for room in ("gateway", "persistence", "actors"))]

    assert [] == [name for name in named if not any((room / name).exists() for room in rooms)]
    assert len(named) >= 8


def test_the_test_files_that_begin_are_there() -> None:
    assert [] == [name for name in LONGEST if not (ROOT / "tests" / name).exists()]
