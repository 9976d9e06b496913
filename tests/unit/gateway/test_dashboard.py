"""The dashboard asks only what the API describes, reads no string as HTML, and is a small house like the rest."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

from gateway.dashboard.pages import PAGE, STATIC
from gateway.openapi.document import document
from wire.states import Outcome, State

ROOT = Path(__file__).parents[3]
SCRIPTS: Final = {path.name: path.read_text() for path in STATIC.glob("*.js")}
ROUTES: Final = re.findall(r'^  (\w+): "(GET|POST|PUT|PATCH|DELETE) (/[^"?]+)\??([^"]*)",$', SCRIPTS["routes.js"], re.M)
PATHS: Final = document([])["paths"]

FORBIDDEN: Final = {
    "a string that is read as HTML":
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc",
    "a string that is run": r"\beval\(|new Function|setTimeout\(\s*[\"'`]|import\(",
    "another origin": r"https?://(?!www\.w3\.org/2000/svg)[\w.]",
    "a style that the policy refuses": r"\.style\b|[\"']style[\"']",
    "what outlives the tab": r"localStorage|document\.cookie|indexedDB",
}  # fmt: skip


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route[0])
def test_a_question_is_one_that_the_api_describes(route: tuple[str, str, str, str]) -> None:
    _, method, path, parameters = route
    described = PATHS[path][method.lower()]
    known = {one["name"] for one in described["parameters"] if one["in"] == "query"}

    assert set() == set(filter(None, parameters.split("&"))) - known


def test_every_question_is_in_the_list_and_every_one_in_the_list_is_asked() -> None:
    listed = {name for name, *_ in ROUTES}
    asked = {
        name
        for file, text in SCRIPTS.items()
        if file != "routes.js"
        for name in re.findall(r'(?:ask|askForText|answerTo|addressOf)\("(\w+)"', text)
    }

    assert listed == asked


def test_no_path_of_the_api_is_written_elsewhere() -> None:
    sentences = r"(?:POST|GET) /api/v1/\w+ makes one"  # what an empty list tells its reader

    assert [] == [
        name for name, text in SCRIPTS.items() if name != "routes.js" and "/api/v1" in re.sub(sentences, "", text)
    ]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_script_holds(what: str) -> None:
    assert [] == [name for name, text in SCRIPTS.items() if re.search(FORBIDDEN[what], text)]


def test_what_is_imported_is_there_and_what_is_there_is_imported() -> None:
    imported = {name for text in SCRIPTS.values() for name in re.findall(r'from "\./([\w.]+)"', text)}

    assert set(SCRIPTS) == imported | {"board.js"}


def test_the_page_names_all_scripts_so_that_none_waits_for_another() -> None:
    """
    A browser would else learn of each only from the one that imports it, a round trip later.
    """
    page = (STATIC / PAGE).read_text()

    assert set(SCRIPTS) == set(re.findall(r'(?:modulepreload" href|src)="/dashboard/assets/([\w.]+\.js)"', page))


@pytest.mark.parametrize("word", [*State, *Outcome])
def test_a_state_s_colour_is_in_the_sheet(word: str) -> None:
    assert re.search(rf"\.is-{word}\b", (STATIC / "board.css").read_text())


def test_every_state_can_be_chosen() -> None:
    chosen = re.search(r"^const STATES = \[(.*)\];$", SCRIPTS["jobs.js"], re.M)

    assert chosen
    assert {*State, "", "pending"} == set(re.findall(r'"(\w*)"', chosen[1]))


def test_every_file_says_why_it_is_there_and_is_small() -> None:
    assert [] == [name for name, text in SCRIPTS.items() if not text.startswith("/**\n * ")]
    assert [] == [name for name, text in SCRIPTS.items() if len(text.splitlines()) > 400]


def test_the_files_are_in_the_wheel() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    shipped = {path for pattern in patterns["gateway.dashboard"] for path in STATIC.parent.glob(pattern)}

    assert shipped == set(STATIC.iterdir())
    assert STATIC / PAGE in shipped
