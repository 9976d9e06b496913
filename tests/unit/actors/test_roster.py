"""Which types a process serves: its declarations first, then the settings' defaults."""

from __future__ import annotations

import json
import math
from typing import Any

import dramatiq
import pytest
from pydantic import BaseModel

from actors.broker import JobBroker
from actors.codec import STOCK_SCHEMA
from actors.declared.job_options import AsWritten
from actors.declared.roster import job_types, served
from actors.job import job
from persistence.declared.job_types import JobType
from wire.errors import SettingsError
from wire.settings import Limits

LIMITS = Limits(default_max_retries=7, default_timeout_seconds=77, retry_base_seconds=3, retry_max_seconds=33)


class Mail(BaseModel):
    to: str


def work(payload: Mail) -> None:
    """Do it.

    At length.
    """


def only(broker: JobBroker) -> JobType:
    (found,) = job_types(broker.actors, LIMITS).values()
    return found


def test_a_job_without_options_has_the_settings_defaults(broker: JobBroker) -> None:
    job("mail")(work)

    assert JobType(
        name="mail", queue="default", description="Do it.\n\nAt length.",
        payload_schema=json.dumps(Mail.model_json_schema(schema_generator=AsWritten)),
        priority=5, max_retries=7, timeout_seconds=77,
        retry_base_seconds=3, retry_max_seconds=33,
    ) == only(broker)  # fmt: skip


def test_a_return_annotation_that_is_a_model_is_the_results_schema(broker: JobBroker) -> None:
    def send(payload: Mail) -> Mail:
        return payload

    job("mail")(send)

    assert Mail.model_json_schema(mode="serialization") == json.loads(only(broker).result_schema or "")


def test_a_jobs_own_options_win_and_none_is_lost_for_being_zero(broker: JobBroker) -> None:
    job("mail", queue="q", priority=1, max_retries=0, timeout=0.5, retry_base_seconds=0.1, retry_max_seconds=1)(work)
    found = only(broker)

    assert ("q", 1, 0, 0.5, 0.1, 1) == (
        found.queue, found.priority, found.max_retries, found.timeout_seconds, found.retry_base_seconds,
        found.retry_max_seconds,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (7, 77, 3, 33)),
        ({"max_retries": 0}, (0, 77, 3, 33)),
        ({"time_limit": 1_500}, (7, 1.5, 3, 33)),
        ({"min_backoff": 500, "max_backoff": 4_000}, (7, 77, 0.5, 4)),
        ({"time_limit": math.inf}, (7, 604_800, 3, 33)),
    ],
)
def test_a_stock_actors_options_are_understood(
    broker: JobBroker, options: dict[str, Any], expected: tuple[float, ...]
) -> None:
    dramatiq.actor(actor_name="stock", **options)(lambda *args: None)
    found = only(broker)

    assert json.dumps(STOCK_SCHEMA) == found.payload_schema
    assert expected == (
        found.max_retries, found.timeout_seconds, found.retry_base_seconds, found.retry_max_seconds,
    )  # fmt: skip


def test_names_that_cannot_travel_are_all_told(broker: JobBroker) -> None:
    for name in ("addNumbers", "fine", "clean-up"):
        dramatiq.actor(actor_name=name)(lambda: None)
    with pytest.raises(SettingsError) as refused:
        job_types(broker.actors, LIMITS)

    assert 2 == len(refused.value.faults)
    assert "addNumbers" in refused.value.faults[0]
    assert "use lower-case words joined by dots" in refused.value.faults[0]
    assert "clean-up" in refused.value.faults[1]


def test_a_process_serves_the_queues_it_is_told(broker: JobBroker) -> None:
    for name, queue in (("a", "one"), ("b", "two"), ("c", "one")):
        job(name, queue=queue)(work)
    types = job_types(broker.actors, LIMITS)

    assert ["a", "b", "c"] == list(served(types, ()))
    assert ["a", "c"] == list(served(types, ("one",)))
    assert ["a", "b", "c"] == list(served(types, ("two", "one")))


def test_a_queue_that_no_type_uses_is_a_fault_with_the_known_ones(broker: JobBroker) -> None:
    """
    A worker that serves nothing would be alive and deaf.
    """
    job("a", queue="one")(work)
    with pytest.raises(SettingsError, match="WARREN_QUEUES names onee, which no job type uses; known: one"):
        served(job_types(broker.actors, LIMITS), ("one", "onee"))
