"""docs/console.md names what stands on the broker: all of it, and nothing else."""

from __future__ import annotations

import re

import pytest

from tests.unit.test_house import ROOT
from wire import topology
from wire.signature import client_properties, signature
from wire.topology import Exchange, Profile, Queue

PAGE = (ROOT / "docs" / "console.md").read_text()


def named(section: str) -> set[str]:
    """The names in the first column of a section's table; of the ladder its two ends."""
    rows = PAGE.split(f"## {section}\n")[1].split("\n## ")[0].splitlines()
    return {name for row in rows if row.startswith("| `") for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


@pytest.mark.parametrize("profile", Profile)
def test_the_page_has_every_queue_and_every_exchange(profile: Profile) -> None:
    parts = list(topology.fixed(profile))
    middle = {f"delay.{level:02}" for level in range(1, 24)}
    queues = {part.name for part in parts if isinstance(part, Queue)} - middle
    exchanges = {part.name for part in parts if isinstance(part, Exchange)} - middle

    assert queues | {"work.<queue>", "control … <process>"} == named("Queues")
    assert exchanges == named("Exchanges")


def test_the_connections_are_signed_as_the_page_says() -> None:
    shape = re.compile(r"warren (\w+) [^ ]+:\d+( \w+)?")
    shown = [name for name in named("Connections and consumers") if "…" not in name]

    assert [] == [name for name in shown if not shape.fullmatch(name)]
    assert shape.fullmatch(signature("worker", "publisher"))
    assert "warren worker mine:7 lane" == signature("worker", "lane", process="mine:7")
    assert "Warren" == client_properties("x")["product"]
