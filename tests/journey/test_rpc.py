"""A job over gRPC, as somebody meets it who has docs/grpc.md and nothing of Warren's code."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journey.api import Api
from tests.journey.stack import ROOT, Stack

PAGE = (ROOT / "docs/grpc.md").read_text()
EXAMPLE = ROOT / "examples" / "grpc" / "python_grpc.py"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the page's command makes there, and the example."""
    folder = tmp_path_factory.mktemp("client")
    (line,) = re.findall(r"^\$ python (-m grpc_tools.*)$", PAGE, re.MULTILINE)
    words = line.replace("-I gateway", f"-I {ROOT}/gateway").split()
    subprocess.run([sys.executable, *words], cwd=folder, check=True)
    shutil.copy(EXAMPLE, folder)
    return folder


def test_the_page_shows_the_example() -> None:
    assert f"`examples/grpc/{EXAMPLE.name}`" in PAGE
    assert EXAMPLE.read_text() in PAGE


async def test_the_paste_runs(api: Api, stack: Stack, client: Path) -> None:
    """
    And a second time, with the same key, it finds the same job.
    """
    (line,) = re.findall(r"^\$ WARREN_GRPC_TARGET=\S+ python (.*)$", PAGE, re.MULTILINE)
    (shown,) = re.findall(r"^completed .*$", PAGE, re.MULTILINE)
    before = await _greetings(api)
    said = [await asyncio.to_thread(_run, client, stack, *line.split()) for _ in range(2)]

    assert [f"{shown}\n"] * 2 == said
    assert 1 == len(await _greetings(api) - before)  # others say hello too


async def _greetings(api: Api) -> set[str]:
    jobs = (await api.get("/api/v1/jobs?type=echo&limit=500"))["items"]
    return {job["id"] for job in jobs if (job["payload"], job["priority"]) == ({"message": "hello"}, 8)}


@pytest.mark.skipif(shutil.which("grpcurl") is None, reason="grpcurl is not installed")
async def test_the_lines_for_a_shell_run(stack: Stack, client: Path) -> None:
    lines = re.findall(r"^\$ (grpcurl .*)$", PAGE, re.MULTILINE)
    commands = [shlex.split(line.replace("127.0.0.1:50051", f"127.0.0.1:{stack.grpc_port}")) for line in lines]
    submitted, health = [await asyncio.to_thread(subprocess.check_output, words, text=True) for words in commands]

    assert '"jobId"' in submitted
    assert '"SERVING"' in health


def _run(client: Path, stack: Stack, *words: str) -> str:
    environment = {"PATH": os.environ["PATH"], "WARREN_GRPC_TARGET": f"127.0.0.1:{stack.grpc_port}"}
    done = subprocess.run(
        [sys.executable, *words], cwd=client, env=environment, capture_output=True, text=True, timeout=90, check=False
    )

    assert 0 == done.returncode, done.stderr
    return done.stdout
