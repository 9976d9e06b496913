"""The project of docs/actors.md, as it is printed there: outside of this folder, tested, run and sent to."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import ROOT, Stack

BLOCK = re.compile(r"```(?:python|toml)\n# (?P<name>\S+)\n(?P<text>.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files, and the record that installing them would leave: where the entry point is found."""
    folder = tmp_path_factory.mktemp("somewhere") / "letters"
    for block in BLOCK.finditer((ROOT / "docs/actors.md").read_text()):
        file = folder / block["name"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block["text"])
    said = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    record = folder / f"letters-{said['version']}.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {said['name']}\nVersion: {said['version']}\n")
    points = said["entry-points"]["warren.actors"].items()
    (record / "entry_points.txt").write_text("\n".join(["[warren.actors]", *(f"{name} = {to}" for name, to in points)]))
    return folder


def test_its_tests_pass_without_servers(project: Path) -> None:
    told = _run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")

    assert "4 passed" in told.stdout, told.stdout + told.stderr


async def test_it_is_loaded_by_its_entry_point_and_sent_to(api: Api, stack: Stack, project: Path) -> None:
    stack.workers("letters", processes=1, WARREN_ACTORS="", PYTHONPATH=f"{ROOT}:{project}")
    await eventually(lambda: _is_known(api), within=60)
    sent = await asyncio.to_thread(_run, project, "send.py", WARREN_URL=stack.url)
    again = await asyncio.to_thread(_run, project, "send.py", WARREN_URL=stack.url)
    everybody = await api.submit("letters.round", {"text": "Hi!", "people": ["Ada", "Bob"]})
    result = (await api.finished(everybody))["result"]
    await eventually(lambda: _written(api, 3), within=60)
    code = await asyncio.to_thread(stack.stop, "letters")

    assert ["{'characters': 6}\n"] * 2 == [sent.stdout, again.stdout], sent.stderr
    assert (0, 2) == (code, result)


def _run(project: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{project}:{ROOT}"
    return subprocess.run(
        [sys.executable, *words], cwd=project, env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", **environment},
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip


async def _is_known(api: Api) -> bool:
    return "letters.write" in {item["name"] for item in (await api.get("/api/v1/job-types"))["items"]}


async def _written(api: Api, letters: int) -> bool:
    found = await api.get("/api/v1/jobs?type=letters.write&state=completed")
    return letters == len(found["items"])
