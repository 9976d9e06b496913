"""The points are where the table says, and every one of them is a row's."""

from __future__ import annotations

import sys
from pathlib import Path

import dramatiq
import pytest
from dramatiq import broker as dramatiq_broker

from actors.broker import JobBroker
from tests.faults.crash_points import POINTS
from tests.faults.saboteur import home_of
from tests.journey.stack import JOB_MODULES
from wire.settings import Limits

HERE = Path(__file__).parent


@pytest.fixture
def _job_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker sees them."""
    monkeypatch.syspath_prepend(str(JOB_MODULES))
    monkeypatch.setattr(dramatiq_broker, "global_broker", None)
    monkeypatch.setitem(sys.modules, "journey_jobs", sys.modules.get("journey_jobs"))
    del sys.modules["journey_jobs"]
    dramatiq.set_broker(JobBroker("amqp://nobody:nothing@127.0.0.1:1/", Limits(), "test"))


@pytest.mark.usefixtures("_job_modules")
@pytest.mark.parametrize("name", POINTS)
def test_the_function_of_a_point_exists(name: str) -> None:
    """
    A refactoring that moves it must move the point too, or the saboteur would wait there for ever.
    """
    holder, attribute = home_of(POINTS[name])

    assert callable(getattr(holder, attribute))


def test_every_point_is_struck_by_a_row() -> None:
    rows = "".join(path.read_text() for path in HERE.glob("test_*.py"))

    assert [] == [name for name in POINTS if f'"{name}"' not in rows]
