"""What can be checked of docker-compose.yml without an engine; tests/journey/test_compose.py runs it with one."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import warren
from deploy.boards.grafana import BOARDS
from deploy.demo.crew import MODULE
from deploy.servers.rabbitmq import PLUGINS
from gateway.entrance.listen import DRAIN_SECONDS
from wire.settings import SCRIPTS_OWN, Worker, environment_names, fields
from wire.slices.artifacts import Artifacts

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "warren"}
DEMO = {"demo", "demo-worker"}
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
PROVISIONING = ROOT / "deploy/grafana/provisioning"


def test_every_process_is_there() -> None:
    assert set(OURS) == {"migrate", "recorder", "scheduler", "gateway", "worker", *DEMO}


def test_the_demo_comes_only_when_it_is_asked_for() -> None:
    assert set(DEMO) == {name for name, service in COMPOSE["services"].items() if service.get("profiles") == ["demo"]}
    assert OURS["demo-worker"]["environment"]["WARREN_ACTORS"] == MODULE
    assert warren._parser().parse_args([*OURS["demo"]["command"][1:-1], "20"]).duration == 0


@pytest.mark.parametrize("name", sorted(set(OURS) - {"demo"}))
def test_a_command_is_a_module_that_can_be_run(name: str) -> None:
    room = OURS[name]["command"][0]

    assert importlib.util.find_spec(f"{room}.__main__") is not None
    assert f"COPY {room} {room}\n" in DOCKERFILE


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_ports_are_published_on_the_loopback_interface_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"][name].get("ports", []))


@pytest.mark.parametrize("name", sorted(set(OURS) - {"migrate", "demo"}))
def test_a_process_waits_for_the_migrations(name: str) -> None:
    assert OURS[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", ["recorder", "scheduler", "worker"])
def test_a_process_is_asked_where_it_says_that_it_lives(name: str) -> None:
    *command, folder, role = OURS[name]["healthcheck"]["test"]

    assert ["CMD", "python", "-P", "-m", "wire.alive"] == command
    assert (OURS[name]["environment"]["WARREN_ALIVE_FOLDER"], name) == (folder, role)


def test_workers_can_be_scaled() -> None:
    """
    A container name or a published port would stand in the way of a second one.
    """
    assert not {"container_name", "ports"} & set(OURS["worker"])


def test_the_image_is_built_once() -> None:
    """
    Five builds of one tag would race for it, and `--scale` would make more of them.
    """
    assert ["migrate"] == [name for name, service in OURS.items() if "build" in service]


@pytest.mark.parametrize("name", OURS)
def test_a_process_may_do_nothing_it_need_not(name: str) -> None:
    service = OURS[name]

    assert service["read_only"]
    assert (["/tmp"], ["ALL"]) == (service["tmpfs"], service["cap_drop"])
    assert ["no-new-privileges:true"] == service["security_opt"]


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_env_reach_every_process(name: str) -> None:
    """
    What the containers' network fixes wins over them, because it bears each setting's first name; another name that
    begins with WARREN_ would stop the process at its start.
    """
    first = {environment_names(owner, field)[0] for owner, field, _ in fields()}

    assert [{"path": ".env", "required": False}] == OURS[name]["env_file"]
    assert set(OURS[name]["environment"]) <= first | {"OTEL_EXPORTER_OTLP_ENDPOINT"} | SCRIPTS_OWN


def test_a_process_is_killed_later_than_it_drains() -> None:
    grace = {name: float(service["stop_grace_period"].removesuffix("s")) for name, service in OURS.items()}

    assert grace["gateway"] > DRAIN_SECONDS
    assert grace["worker"] > Worker().drain_seconds + 20  # the interrupted are recorded, and acked


def test_what_is_copied_is_not_ignored() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE)
    kept = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()

    assert [name for line in copied for name in line.split() if f"!{name}" not in kept] == []


def test_the_image_does_not_run_as_root() -> None:
    """
    A number: Kubernetes does not believe in a name that it is not root.
    """
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", DOCKERFILE, re.MULTILINE)


def test_the_broker_has_the_plugins_that_deploy_up_gives_it() -> None:
    assert PLUGINS == (ROOT / "deploy/rabbitmq/enabled_plugins").read_text()


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_what_is_mounted_is_there(name: str) -> None:
    mounted = [volume.partition(":")[0] for volume in COMPOSE["services"][name].get("volumes", [])]

    assert [] == [path for path in mounted if path.startswith(".") and not (ROOT / path).exists()]


def test_every_process_is_scraped_at_its_port() -> None:
    """
    Whoever serves metrics is asked for by its name, and nobody else.
    """
    jobs = {job["job_name"]: job for job in PROMETHEUS["scrape_configs"]}
    (found,) = jobs["warren"]["dns_sd_configs"]
    ports = {OURS[name]["environment"]["WARREN_METRICS_PORT"] for name in found["names"]}

    assert set(OURS) - {"migrate", "demo"} == set(found["names"])
    assert ports == {str(found["port"])}
    assert ["rabbitmq:15692"] == jobs["rabbitmq"]["static_configs"][0]["targets"]


def test_grafana_finds_its_sources_and_its_dashboards() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources/warren.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards/warren.yml").read_text())["providers"]
    grafana = COMPOSE["services"]["grafana"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert {"prometheus", "jaeger"} == {source["uid"] for source in sources}
    assert {source["url"].split("/")[2].split(":")[0] for source in sources} <= set(COMPOSE["services"])
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    assert f"{provider['options']['path']}/{BOARDS[0].uid}.json" == home


@pytest.mark.parametrize("name", sorted(set(OURS) - {"migrate"}))
def test_every_process_is_led_to_the_object_store_with_its_keys(name: str) -> None:
    """
    A folder would be another one in each container; and MinIO's images are no longer kept.
    """
    told, store = OURS[name]["environment"], COMPOSE["services"]["objects"]
    default = re.compile(r"\$\{\w+:?-([^}]*)\}")
    settings = Artifacts(**{
        field.lower().removeprefix("warren_"): default.sub(r"\1", value)
        for field, value in told.items() if "ARTIFACTS" in field
    })  # fmt: skip

    assert ("s3://warren", f"http://objects:{store['expose'][0]}") == (settings.place, settings.endpoint)
    assert f"--port :{store['expose'][0]} posix /data" in store["entrypoint"][-1]
    assert "mkdir -p /data/warren " in store["entrypoint"][-1]
    assert told["WARREN_ARTIFACTS_ACCESS_KEY"] == store["environment"]["ROOT_ACCESS_KEY"]
    assert told["WARREN_ARTIFACTS_SECRET_KEY"] == store["environment"]["ROOT_SECRET_KEY"]
    assert ["objects:/data"] == store["volumes"]
    assert "minio" not in store["image"]
