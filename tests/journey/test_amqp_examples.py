"""What docs/amqp.md shows is what `examples/amqp` holds, and it runs: as a user who may publish, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.servers.rabbitmq import manage
from tests.conftest import Places
from tests.journey import shop
from tests.journey.api import Api
from tests.journey.shop import PAGE
from tests.journey.stack import ROOT, Stack

EXAMPLES = ROOT / "examples" / "amqp"
GO, GO_LIBRARY = "github.com/rabbitmq/amqp091-go", Path("/usr/share/gocode/src/github.com/rabbitmq/amqp091-go")
GO_MODULE = f"go mod edit -replace {GO}={GO_LIBRARY}" if GO_LIBRARY.exists() else f"go mod download {GO}"
JAR = Path("/usr/share/java/amqp-client.jar")
MAVEN = "mvn -q -B compile dependency:copy-dependencies"
JAVA_BUILD = f"javac -cp {JAR} -d target/classes src/main/java/Publish.java" if JAR.exists() else MAVEN
NO_REGISTRY = r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|dial tcp|Unknown host|Could not transfer|: not found"
FILES = ["python_pika.py", "node/publish.js", "go/main.go", "java/src/main/java/Publish.java"]


@pytest.fixture
def amqp_url(home: Places, stack: Stack) -> Iterator[str]:
    """Of the page's user `shop`; the stack runs."""
    with shop.login(home, shop.permissions("shop"), shop.topic_permissions()) as url:
        yield url


@pytest.mark.parametrize("name", FILES)
def test_the_page_shows_the_example(name: str) -> None:
    assert f"`examples/amqp/{name}`" in PAGE
    assert (EXAMPLES / name).read_text().strip() in PAGE


async def test_the_python_paste_runs(amqp_url: str) -> None:
    told = await _run(EXAMPLES, amqp_url, sys.executable, "python_pika.py", "hello")

    assert ("completed", {"message": "hello"}) == (told["state"], told["result"])


async def test_the_answer_has_the_fields_that_the_page_shows(amqp_url: str) -> None:
    told = await _run(EXAMPLES, amqp_url, sys.executable, "python_pika.py", "hello")
    shown = json.loads(PAGE.split("```json\n")[1].split("```")[0])

    assert list(shown) == list(told)


async def test_the_node_paste_runs(amqp_url: str, tmp_path: Path) -> None:
    project = _project("node", tmp_path, "npm", "npm install --no-audit --no-fund --loglevel=error")
    told = await _run(project, amqp_url, "node", "publish.js", "hello")

    assert ("completed", {"message": "hello"}) == (told["state"], told["result"])


async def test_the_go_paste_runs(amqp_url: str, tmp_path: Path) -> None:
    """
    With the module of the registry, or with the one that Debian packages.
    """
    project = _project("go", tmp_path, "go", f"{GO_MODULE} && go vet -mod=mod . && go build -mod=mod -o publish .")
    told = await _run(project, amqp_url, "./publish", "hello")

    assert ("completed", {"message": "hello"}) == (told["state"], told["result"])


async def test_the_java_paste_runs(amqp_url: str, tmp_path: Path) -> None:
    project = _project("java", tmp_path, "java", JAVA_BUILD)
    path = f"target/classes:target/dependency/*:{JAR}:{JAR.with_name('slf4j-api.jar')}"
    told = await _run(project, amqp_url, "java", "-cp", path, "Publish", "hello")

    assert ("completed", {"message": "hello"}) == (told["state"], told["result"])


async def test_the_text_for_the_console_makes_a_job(api: Api, home: Places) -> None:
    """
    The console's form sends just this to RabbitMQ's management API.
    """
    form = dict(re.findall(r"^\| (Routing key|Payload) \| `(.*)` \|$", PAGE, re.MULTILINE))
    (properties,) = re.findall(r"^\| Properties \| (.*) \|$", PAGE, re.MULTILINE)
    said = dict(re.findall(r"`(\w+)` = `([^`]+)`", properties))
    message = {
        "routing_key": form["Routing key"], "payload": form["Payload"], "payload_encoding": "string",
        "properties": {**said, "delivery_mode": 2},
    }  # fmt: skip
    answer = await asyncio.to_thread(
        manage, home.management_url, "POST", f"exchanges/{home.vhost}/jobs.in/publish", message
    )
    job = await api.finished(await api.born(said["message_id"]))

    assert {"routed": True} == json.loads(answer)
    assert ("completed", {"message": "by hand"}) == (job["state"], job["result"])


def _project(name: str, folder: Path, tool: str, build: str) -> Path:
    """A copy of the example that its own tools have built; skipped where they or their registry are missing."""
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    project = shutil.copytree(EXAMPLES / name, folder / name)
    built = subprocess.run(build, shell=True, cwd=project, capture_output=True, text=True, check=False, timeout=120)
    said = built.stdout + built.stderr
    if built.returncode and re.search(NO_REGISTRY, said):
        pytest.skip(f"the registry of {name} cannot be reached from here")

    assert 0 == built.returncode, said
    return project


async def _run(folder: Path, amqp_url: str, *words: str) -> dict[str, Any]:
    """What the paste prints."""
    environment = {"PATH": os.environ["PATH"], "AMQP_URL": amqp_url}
    done = await asyncio.to_thread(
        subprocess.run, words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )

    assert 0 == done.returncode, done.stderr
    return dict(json.loads(done.stdout))
