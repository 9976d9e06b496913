"""What PDFs are made with is the same list everywhere, and where it cannot be had nothing else is held up."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.trades.reports import pdf
from deploy.provision import install, libraries
from deploy.provision.errands import Errands

ROOT = Path(__file__).parents[3]


def test_one_list_of_packages() -> None:
    """
    The image, `deploy/up` and the sentence of a job without them name the same; rooms do not import each other.
    """
    packages = " ".join(libraries.PACKAGES)

    assert packages == pdf.PACKAGES
    assert packages in " ".join((ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ").split())


@pytest.mark.parametrize("way_to_root", [None, ["sudo"]])
def test_nobody_is_asked_for_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way_to_root: list[str] | None
) -> None:
    monkeypatch.setattr(libraries, "LOADED", ("libnobody-has-this.so.9",))
    monkeypatch.setattr(install, "root_prefix", lambda: way_to_root)
    monkeypatch.setattr(install, "by_apt", lambda *_: pytest.fail("it would ask"))

    said = libraries.provide(Errands(tmp_path / "log"))

    assert said.startswith("reports come as HTML and CSV, not as PDF, until you run: ")


def test_an_installation_that_fails_is_a_line_and_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "LOADED", ("libnobody-has-this.so.9",))
    monkeypatch.setattr(install, "root_prefix", list)
    monkeypatch.setattr(libraries.shutil, "which", lambda _: "/usr/bin/apt-get")

    def fails(*_: object) -> None:
        raise install.CannotInstall("no network")

    monkeypatch.setattr(install, "by_apt", fails)

    assert "sudo apt-get install libpango" in libraries.provide(Errands(tmp_path / "log"))
