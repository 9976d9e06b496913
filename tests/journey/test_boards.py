"""Every query of every dashboard and every alert rule, asked of a real Prometheus while `warren demo` runs.

The long form alone: `deploy/test tests/journey/test_boards.py --long` takes two minutes, and unpacks Debian's
Prometheus where there is none (tests/prometheus.py).  What needs no server is in tests/unit/deploy/test_boards.py.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.process.child import die_with_parent
from deploy.boards import grafana, rabbitmq
from deploy.boards.__main__ import DEPLOY
from deploy.boards.promql import RANGE
from tests import prometheus, provider
from tests.conftest import at
from tests.databases import execute
from tests.eventually import eventually
from tests.journey.stack import ROOT, Stack, running_stack
from tests.prometheus import Prometheus
from tests.room.gateway.calling import calling

pytestmark = pytest.mark.long
RULES = DEPLOY / "prometheus" / "alerts.yml"
ROLES = {"recorder": "recorder", "scheduler": "scheduler", "gateway": "gateway", "actors": "workers"}
WITHIN_SECONDS = 180.0


@pytest.fixture(scope="module")
def stack(servers: provider.Servers, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Warren whose workers know the demo's types, on a RabbitMQ of its own, whose figures are nobody else's."""
    folder = tmp_path_factory.mktemp("boards")
    broker = provider.private_rabbitmq(folder / "rabbitmq")
    broker.start()
    name = "test_boards"
    asyncio.run(execute(servers.database_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    settings = {"WARREN_ACTORS": "deploy.demo.shop_jobs", "PYTHONPATH": str(ROOT)}
    with running_stack(broker.url, at(servers.database_url, name), folder, **settings) as one:
        one.metrics_ports["rabbitmq"] = broker.ports["prometheus"]
        yield one
    broker.stop()
    asyncio.run(execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def told(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    targets = {ROLES.get(name, name): port for name, port in stack.metrics_ports.items()}
    with prometheus.running(tmp_path_factory.mktemp("prometheus"), targets, RULES) as one:
        yield one


@pytest.fixture(scope="module")
def demo(stack: Stack, told: Prometheus) -> Iterator[None]:
    """It runs for as long as it is watched."""
    words = [sys.executable, "-m", "warren", "demo", "--rate", "25", "--duration", "0"]
    process = subprocess.Popen(
        words,
        cwd=ROOT,
        env=stack.environment(WARREN_URL=stack.url),
        preexec_fn=die_with_parent,  # noqa: PLW1509 - a test run that is killed leaves none behind
    )  # fmt: skip
    yield
    process.terminate()
    process.wait()


def queries() -> dict[str, str]:
    """Every query by board, panel and number."""
    return {
        f"{board.uid} / {panel.title} / {number}": query.expression.replace(RANGE, "1m")
        for board in grafana.BOARDS
        for panel in board.panels
        for number, query in enumerate(panel.queries)
    }


@pytest.mark.usefixtures("demo")
async def test_no_panel_is_empty_while_the_demo_runs(told: Prometheus, stack: Stack) -> None:
    """
    A query that has no value yet is asked again until it has: the demo's rarer deeds take their time.  The demo knows
    no gRPC, so somebody else calls.
    """
    left = queries()
    asked = len(left)

    async def all_there() -> bool:
        await caller.page(page_size=1)
        for name, expression in list(left.items()):
            if await asyncio.to_thread(told.values, expression):
                del left[name]
        await asyncio.sleep(1)
        return not left

    try:
        async with calling(stack.grpc_port) as caller:
            await eventually(all_there, within=WITHIN_SECONDS)
    finally:
        print(f"{asked - len(left)} of {asked} queries have values; without: {sorted(left)}")

    assert {} == left


@pytest.mark.usefixtures("demo")
async def test_every_rule_is_evaluated_without_an_error(told: Prometheus) -> None:
    rules = []

    async def evaluated() -> bool:
        groups = (await asyncio.to_thread(told.ask, "rules"))["groups"]
        rules[:] = [rule for group in groups for rule in group["rules"]]
        return bool(rules) and all(rule["health"] != "unknown" for rule in rules)

    await eventually(evaluated, within=WITHIN_SECONDS)

    assert [] == [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"]
    assert [] == [rule["name"] for rule in rules if rule["state"] == "firing" and rule["labels"]["severity"] == "page"]


@pytest.mark.usefixtures("demo")
async def test_the_broker_tells_all_that_is_asked_of_it(told: Prometheus) -> None:
    names = await asyncio.to_thread(told.ask, "label/__name__/values")

    assert set() == {metric.name for metric in rabbitmq.TABLE} - set(names)


def test_promtool_takes_the_rules(tmp_path: Path) -> None:
    promtool = prometheus.binaries(tmp_path) / "promtool"
    told = subprocess.run([promtool, "check", "rules", str(RULES)], capture_output=True, text=True, check=False)

    assert 0 == told.returncode, told.stdout + told.stderr
