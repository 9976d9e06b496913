"""The virtual environment is made once, noticed when broken, and filled only when the lock has changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from deploy.provision import venv
from deploy.provision.errands import Errands


@pytest.fixture
def errands(tmp_path: Path) -> Errands:
    return Errands(tmp_path / "log")


@pytest.fixture
def place(tmp_path: Path) -> venv.Venv:
    return venv.Venv(tmp_path, tmp_path / ".venv")


def never() -> None:
    raise AssertionError("ensurepip is here; nothing has to be installed for it")


def test_one_that_answers_is_taken_as_it_is(place: venv.Venv, errands: Errands, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# nothing\n")
    venv.make(place, errands, never)

    assert venv.fill(place, lock, errands) == "filled from the lock"
    ran = (tmp_path / "log").read_text()

    venv.make(place, errands, never)

    assert venv.fill(place, lock, errands) == "as the lock says"
    assert (tmp_path / "log").read_text() == ran


def test_a_half_made_one_is_made_anew(place: venv.Venv, errands: Errands) -> None:
    place.folder.joinpath("bin").mkdir(parents=True)
    place.python.symlink_to("/nowhere/python")

    assert not venv.answers(place)

    venv.make(place, errands, never)

    assert venv.answers(place)


def test_where_uv_reaches_nobody_pip_does_it(
    place: venv.Venv, errands: Errands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    pip may know a registry, a proxy or a certificate of the house that uv has not been told of.
    """
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text('#!/bin/sh\necho "nobody there: $1"\nexit 2\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{uv.parent}:{os.environ['PATH']}")
    lock = tmp_path / "requirements.lock"
    lock.write_text("# nothing\n")
    venv.make(place, errands, never)
    venv.fill(place, lock, errands)
    ran = (tmp_path / "log").read_text()

    assert venv.answers(place)
    assert ["venv", "pip"] == [line.split()[-1] for line in ran.splitlines() if line.startswith("nobody there")]
    assert " -m pip install " in ran


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_checkout_that_cannot_be_written_keeps_it_with_the_data(tmp_path: Path) -> None:
    root = tmp_path / "code"
    root.mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)

    assert venv.place(root, tmp_path / "data").folder == tmp_path / "data" / "venv"
