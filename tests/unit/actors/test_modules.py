"""Job modules are found by name, or the person who started the worker reads a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.broker import JobBroker
from actors.process.modules import ROOMS, _import, refuse_namesakes
from wire.errors import SettingsError

GOOD = "from warren import job\n@job('from_{0}')\ndef run(): ...\n"
HEAVY = {
    "PIL", "aiosmtplib", "av", "fontTools", "jinja2", "matplotlib", "numpy", "polars", "pyarrow",
    "pydyf", "pyrage", "sqlalchemy", "trafilatura", "weasyprint",
}  # fmt: skip
WRONG = {
    "nameless": ("from warren import job\n@job('No-Good')\ndef run(): ...\n", "'No-Good' is not a job type's name"),
    "two_parameters": ("from warren import job\n@job('x')\ndef run(a, b): ...\n", "run takes 2 parameters"),
    "needs_more": ("import a_package_that_nobody_has\n", "a_package_that_nobody_has"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path, as the one beside the person who starts a worker."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_module_declares_its_types(folder: Path, broker: JobBroker) -> None:
    (folder / "my_good_jobs.py").write_text(GOOD.format("my_good_jobs"))
    _import("my_good_jobs")
    sys.modules.pop("my_good_jobs")

    assert "from_my_good_jobs" in broker.actors


@pytest.mark.parametrize("name", ["no_such_module", "no_such_package.jobs", "wire.no_such_module"])
def test_a_module_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"WARREN_ACTORS names {name}, which cannot be imported"):
        _import(name)


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("name", WRONG)
def test_a_module_that_cannot_be_loaded_says_why(folder: Path, name: str) -> None:
    source, sentence = WRONG[name]
    (folder / f"wrong_{name}.py").write_text(source)
    with pytest.raises(SettingsError) as refused:
        _import(f"wrong_{name}")

    assert f"wrong_{name}" in str(refused.value)
    assert sentence in str(refused.value)


@pytest.mark.parametrize("room", ROOMS)
def test_a_package_that_bears_a_rooms_name_is_refused(folder: Path, room: str) -> None:
    (folder / room).mkdir()
    (folder / room / "__init__.py").touch()
    with pytest.raises(SettingsError, match="has the name of a room of Warren; rename it"):
        refuse_namesakes()


def test_a_folder_that_is_no_package_is_nobodys_namesake(folder: Path) -> None:
    (folder / "actors").mkdir()

    refuse_namesakes()


def test_a_worker_and_its_child_processes_start_without_the_heavy_libraries() -> None:
    """
    A function imports what it needs when it is called: a worker is up in two seconds, and most never call it.
    """
    code = "import sys, actors.process.isolated, actors.process.app; print(*sys.modules)"
    nowhere = {"AMQP_URL": "amqp://u:p@127.0.0.1:1/", "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d"}
    environment = {**os.environ, **nowhere, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=60
    )
    imported = set(found.stdout.split())

    assert set() == HEAVY & imported
    assert {"actors.catalogue.echo", "actors.catalogue.scrape_article"} <= imported
