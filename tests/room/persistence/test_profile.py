"""The profile is agreed on once: by the pin in Postgres, and by what stands on the broker."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from persistence.declared import pins
from persistence.declared.declare import declare
from persistence.store.database import Database
from tests.conftest import Places
from wire import topology
from wire.errors import TopologyMismatch
from wire.rabbitmq.amqp import Broker
from wire.topology import Profile

ROOT = Path(__file__).parents[3]


async def test_the_first_to_declare_pins_what_it_declared(broker: Broker, database: Database) -> None:
    declared = await declare(broker, database, "classic")

    assert Profile.CLASSIC == declared
    assert "classic" == await pins.pinned(database, pins.PROFILE)


async def test_who_wants_another_profile_is_told_both(broker: Broker, database: Database) -> None:
    await declare(broker, database, "classic")

    with pytest.raises(TopologyMismatch, match="WARREN_PROFILE is quorum, but this system was declared as classic"):
        await declare(broker, database, "quorum")


async def test_a_process_that_was_started_with_another_profile_ends_and_says_so(
    broker: Broker, database: Database, database_url: str, places: Places
) -> None:
    """
    It could never take a message: better end at once than warn for ever beside those that work.
    """
    await declare(broker, database, "classic")
    given = {**os.environ, "AMQP_URL": places.amqp_url, "DATABASE_URL": database_url,
             "WARREN_PROFILE": "quorum", "WARREN_PROCESSES": "1", "WARREN_ACTORS": ""}  # fmt: skip
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", room, env=given, cwd=ROOT, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        for room in ("persistence", "scheduler", "actors")
    ]  # fmt: skip
    async with asyncio.timeout(60):
        said = [(await process.communicate())[0].decode() for process in processes]

    assert [os.EX_CONFIG, os.EX_CONFIG, 2] == [process.returncode for process in processes], said
    for log in said:
        assert "WARREN_PROFILE is quorum, but this system was declared as classic; set WARREN_PROFILE=classic" in log
        assert "Traceback" not in log


async def test_auto_keeps_to_the_pin(broker: Broker, database: Database) -> None:
    """
    Whatever the broker's version has become meanwhile.
    """
    await declare(broker, database, "classic")
    broker.version = "4.3.6"

    assert Profile.CLASSIC == await declare(broker, database, "auto")


async def test_quorum_queues_without_priorities_are_not_begun_with(broker: Broker, database: Database) -> None:
    broker.version = "4.2.9"
    with pytest.raises(TopologyMismatch, match=r"this is RabbitMQ 4\.2\.9, .* set WARREN_PROFILE=classic"):
        await declare(broker, database, "quorum")

    assert await pins.pinned(database, pins.PROFILE) is None


@pytest.mark.parametrize("wanted", ["quorum", "auto"])
async def test_a_new_database_before_an_old_broker_pins_nothing_that_the_broker_refuses(
    broker: Broker, database: Database, wanted: str
) -> None:
    """
    Its queues tell; the error names both profiles and the remedy, and with the remedy it works.
    """
    await broker.declare(_of_an_older_system())
    broker.version = "4.3.6"
    with pytest.raises(TopologyMismatch) as refusal:
        await declare(broker, database, wanted)
    pinned = await pins.pinned(database, pins.PROFILE)
    remedied = await declare(broker, database, "classic")

    assert "the profile would be quorum" in str(refusal.value)
    assert "declared as classic; set WARREN_PROFILE=classic" in str(refusal.value)
    assert (None, Profile.CLASSIC) == (pinned, remedied)


def _of_an_older_system() -> list[topology.Part]:
    return list(topology.fixed(Profile.CLASSIC))
