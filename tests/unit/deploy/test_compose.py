"""docker-compose.yml was never run where it was written; what can be checked without an engine is checked here."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from wire.settings import environment_names, fields

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "warren"}
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()


def test_every_process_is_there() -> None:
    assert set(OURS) == {"migrate", "recorder", "scheduler", "gateway", "worker"}


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_a_module_that_can_be_run(name: str) -> None:
    room = OURS[name]["command"][0]

    assert importlib.util.find_spec(f"{room}.__main__") is not None
    assert f"COPY {room} {room}\n" in DOCKERFILE


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting(name: str) -> None:
    """
    An unknown WARREN_ variable would stop the process at its start.
    """
    known = {alias for owner, field, _ in fields() for alias in environment_names(owner, field)}

    assert set(OURS[name]["environment"]) <= known


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_ports_are_published_on_the_loopback_interface_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"][name].get("ports", []))


@pytest.mark.parametrize("name", sorted(set(OURS) - {"migrate"}))
def test_a_process_waits_for_the_migrations(name: str) -> None:
    assert OURS[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_workers_can_be_scaled() -> None:
    """
    A container name or a published port would stand in the way of a second one.
    """
    assert not {"container_name", "ports"} & set(OURS["worker"])


def test_what_is_copied_is_not_ignored() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE)
    kept = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()

    assert [name for line in copied for name in line.split() if f"!{name}" not in kept] == []


def test_the_image_does_not_run_as_root() -> None:
    assert "\nUSER warren\n" in DOCKERFILE
