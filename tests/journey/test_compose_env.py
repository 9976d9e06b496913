"""What the image holds and what compose tells it is enough to run a Warren; shown without an engine.

The files that the Dockerfile copies, and nothing else of the repository, run the services' commands in the services'
environment.  test_compose.py does the same with an engine, and much more.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import provider
from tests.conftest import at, execute
from tests.journey.api import client
from tests.journey.stack import ROOT, Stack

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
COPIES = re.findall(r"^COPY (.+) \S+$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
ASKED = ("recorder", "scheduler", "worker")
THE_TESTS_OWN = {"WARREN_AMQP_URL", "WARREN_DATABASE_URL", "WARREN_PORT", "WARREN_ALIVE_FOLDER"}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The folder /app of the image."""
    app = tmp_path / "app"
    for name in (name for line in COPIES for name in line.split()):
        source, target = ROOT / name, app / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(
                source, target, dirs_exist_ok=True
            )  # what Python has compiled comes along; the image compiles it too
        else:
            shutil.copy(source, target)
    return app


@pytest.fixture
def bare(servers: provider.Servers, image: Path, tmp_path: Path) -> Iterator[Stack]:
    """An empty vhost, an empty database, and no process yet."""
    name = f"compose_{uuid.uuid4().hex[:12]}"
    asyncio.run(execute(servers.database_url, f"CREATE DATABASE {name}"))
    amqp_url = provider.make_vhost(servers, name)
    folder = tmp_path / "logs"
    folder.mkdir()
    _write_forgetter(tmp_path / "forgetter")
    given = {
        "PYTHONPATH": f"{image}:{tmp_path / 'forgetter'}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "WARREN_ACTORS": "",
        "WARREN_PROCESSES": "1",
        "WARREN_ALIVE_FOLDER": str(tmp_path / "alive"),
    }
    one = Stack(amqp_url, at(servers.database_url, name), folder, **given)
    try:
        yield one
    finally:
        one.stop_all()
        provider.drop_vhost(servers, name)
        asyncio.run(execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)"))


def _write_forgetter(folder: Path) -> None:
    """The environment of a checkout names the checkout for every process; those of an image must not find it."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        f"import sys\n\nsys.path[:] = [e for e in sys.path if e != {str(ROOT)!r}]\n"
    )


def test_the_services_commands_make_a_warren_of_two_empty_servers(bare: Stack, image: Path) -> None:
    shipped = sorted(image.rglob("*"))
    _start(bare, "migrate").wait(120)
    migrated = bare.processes.pop("migrate").returncode
    for service in ("recorder", "scheduler", "gateway", "worker", "demo-worker"):
        _start(bare, service)
    bare.wait_until(lambda: bare.consuming(2), "both workers consume")
    state = asyncio.run(_state_of_a_job(bare))
    _start(bare, "demo")
    bare.wait_until(lambda: _completed(bare, "demo.stock") > 0, "the demo's jobs are done")
    for service in ASKED:
        bare.wait_until(lambda: _health(bare, service) == 0, f"the {service} is healthy")  # noqa: B023 - called in this turn
    codes = bare.stop_all()

    assert (0, "completed") == (migrated, state)
    assert {1} == {_health(bare, service) for service in ASKED}  # they are gone
    assert {0} == set(codes.values()), bare.last_words()
    assert shipped == sorted(image.rglob("*"))  # so it may be read-only


def _health(stack: Stack, service: str) -> int:
    """What the service's health check says, of the folder that the test has for it."""
    command = SERVICES[service]["healthcheck"]["test"][2:]
    told = [str(stack.folder.parent / "alive") if word == "/tmp/warren" else word for word in command]
    return subprocess.run([sys.executable, *told], env=stack.environment(), capture_output=True, check=False).returncode


async def _state_of_a_job(stack: Stack) -> str:
    async with client(stack.url, stack.database_url) as api:
        finished = await api.finished(await api.submit("echo", {"message": "from a container"}))
    return str(finished["state"])


def _start(stack: Stack, service: str) -> Any:
    told = SERVICES[service]["environment"].items()
    environment = {name: re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", value) for name, value in told}
    ours = {name: value for name, value in environment.items() if name not in THE_TESTS_OWN} | {"WARREN_URL": stack.url}
    command = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in SERVICES[service]["command"]]
    return stack.start(service, *command, **ours)


def _completed(stack: Stack, job_type: str) -> int:
    return int(stack.get("/api/v1/stats")["jobs"]["by_type"].get(job_type, {}).get("completed", 0))
