"""Delayed jobs hop down the ladder while the broker is killed under them: none is lost, and none starts early.

Their delays are of all lengths, so that at each kill messages wait in many levels and others are between two of them.
A classic queue hands on at most once, so that some of the latter go with the broker: the rescue sends them again, here
after a shorter grace than the default.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator

import pytest

from deploy.servers.postgres import Postgres
from deploy.servers.rabbitmq import RabbitMQ
from tests.eventually import eventually
from tests.faults.conftest import stack_apart
from tests.faults.ledger import completed, ledger
from tests.faults.load import accept_for_later
from tests.faults.witness import Witness
from tests.journey.api import Api
from tests.journey.stack import Stack

PROMPT = {"WARREN_RESCUE_SECONDS": "1", "WARREN_RESCUE_GRACE_SECONDS": "2"}
KILLED_AFTER = (0.1, 0.5)  # of the jobs have started


@pytest.fixture(scope="module")
def stack(postgres: Postgres, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack_apart(postgres, rabbitmq, tmp_path_factory.mktemp("hopping"), **PROMPT) as one:
        yield one


async def test_jobs_that_wait_in_the_ladder_outlive_the_broker(
    api: Api, stack: Stack, rabbitmq: RabbitMQ, tell: Callable[[str], None], long: bool
) -> None:
    """
    What comes due during an outage starts when it is over; what comes due later starts in time.
    """
    jobs, longest = (100_000, 60.0) if long else (1_200, 6.0)
    witness = Witness(stack.timeline)
    due = await accept_for_later(stack, "step", [random.uniform(1.0, longest) for _ in range(jobs)])
    for share in KILLED_AFTER:
        await eventually(lambda: len(witness.look().first_starts()) >= share * jobs, within=120)  # noqa: B023
        await asyncio.to_thread(rabbitmq.kill)
        await asyncio.to_thread(rabbitmq.start)
    back = time.time()
    await eventually(lambda: len(witness.look().ended()) >= jobs, within=300)
    await eventually(lambda: completed(api, due), within=60)
    found = await ledger(api, witness, due)
    last = max(witness.first_starts().values()) - max(back, *due.values())
    (row,) = await api.sql("SELECT count(*) AS jobs FROM jobs WHERE id = ANY($1) AND rescues > 0", list(due))
    tell(
        f"RabbitMQ killed twice under its ladder: {found.line()}; {row['jobs']} rescued; "
        f"the last started {last:.1f} s after all were due"
    )

    assert {} == found.faults
    assert set() == witness.early(due)
    assert 0 == found.ran_twice
