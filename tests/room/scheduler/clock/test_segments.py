"""Segments: live clocks share them, a dead one's are taken over, and who lost its locks has lost its connection."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import pytest_asyncio

from persistence.schedules.segments import Session
from persistence.store.database import Database
from scheduler.clock.database_time import DatabaseTime
from scheduler.clock.hold import hold
from tests.eventually import eventually
from wire.errors import DatabaseUnavailable
from wire.segments import EVERY, SEGMENTS, stretches, within

ALL = frozenset(range(SEGMENTS))
# A clock of another process: it holds, stands still until it is told, and then makes something without looking
MADE = "CREATE TABLE made_by_a_clock_without_locks ()"
STANDS_STILL = f"""
import asyncio, os, signal, sys
from persistence.store.database import Database
from persistence.schedules.segments import Session
from scheduler.clock.database_time import DatabaseTime
from scheduler.clock.hold import hold
from wire.errors import DatabaseUnavailable
from wire.segments import EVERY, stretches

async def main():
    database = Database(sys.argv[1], "test", connections=1, timeout_seconds=10)
    session = Session(database, stretches(EVERY), "other clock", float(sys.argv[2]))
    await hold(session, DatabaseTime())
    print(len(session.held), flush=True)
    try:
        async with session.connection() as connection:
            if sys.stdin.readline() == "read\\n":  # and be frozen meanwhile
                asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGSTOP)
                await connection.fetch("SELECT repeat('x', 10000) FROM generate_series(1, 100000)")
            await connection.execute("{MADE}")
        print("made", flush=True)
    except DatabaseUnavailable:
        print("refused", len(session.held), flush=True)

asyncio.run(main())
"""
Open = Callable[..., Session]


@pytest_asyncio.fixture
async def clock(database: Database) -> AsyncIterator[Open]:
    """Makes sessions, each of a clock of its own."""
    opened: list[Session] = []

    def make(pins: str = EVERY) -> Session:
        opened.append(Session(database, stretches(pins), f"clock {len(opened)}"))
        return opened[-1]

    yield make
    for session in opened:
        await session.stop()


@pytest.fixture
def other(database_url: str, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A process that holds all, until it has been silent for so long."""
    words = [sys.executable, "-c", STANDS_STILL, database_url, str(request.param)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert f"{SEGMENTS}\n" == process.stdout.readline()
    yield process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.communicate()


async def test_who_is_alone_holds_all(clock: Open) -> None:
    one = clock()
    fresh = [len((await hold(one, DatabaseTime())).gained) for _ in range(2)]

    assert ([SEGMENTS, 0], ALL) == (fresh, one.held)


async def test_an_arrival_gets_its_share_and_a_departure_leaves_it(clock: Open) -> None:
    """
    Nothing is ever held twice, and in between the newcomer waits until the other has let go.
    """
    one, two = clock(), clock()
    await hold(one, DatabaseTime())
    lacking = (await hold(two, DatabaseTime())).lacking
    waiting = two.held
    await _look_in_turn(one, two)
    shares = (len(one.held), len(two.held), one.held & two.held)
    await two.stop()
    await eventually(lambda: _holds(one, ALL))

    assert (True, frozenset(), (64, 64, frozenset())) == (lacking, waiting, shares)


async def test_three_share_evenly(clock: Open) -> None:
    clocks = [clock() for _ in range(3)]
    for _ in range(2):
        await _look_in_turn(*clocks)

    assert [42, 43, 43] == sorted(len(one.held) for one in clocks)
    assert ALL == frozenset().union(*(one.held for one in clocks))


async def test_pins_are_kept(clock: Open) -> None:
    """
    A free clock leaves a pinned one its segments; what nobody may serve stays free.
    """
    pinned, other = clock("0-9,100"), clock("0-63")
    for _ in range(2):
        await _look_in_turn(other, pinned)

    assert within(stretches("0-9,100")) == pinned.held
    assert within(stretches("10-63")) == other.held


async def test_a_session_that_postgres_ends_holds_nothing_and_does_nothing(clock: Open, database: Database) -> None:
    """
    The connection is what a clock makes its runs on: the statement of one that has lost its locks does not arrive.
    """
    one, two = clock(), clock()
    await hold(one, DatabaseTime())
    before = one.held
    await _end(database, "clock 0")
    await eventually(lambda: _holds(two, ALL))
    with pytest.raises(DatabaseUnavailable):
        async with one.connection() as connection:
            await connection.execute(MADE)
    made = await database.fetch("SELECT to_regclass('made_by_a_clock_without_locks') AS made")

    assert (ALL, frozenset(), None) == (before, one.held, made[0]["made"])


async def test_a_lost_session_is_made_anew(clock: Open, database: Database) -> None:
    one = clock()
    await hold(one, DatabaseTime())
    await _end(database, "clock 0")
    with contextlib.suppress(DatabaseUnavailable):  # or it has been noticed by now
        await hold(one, DatabaseTime())
    await eventually(lambda: _holds(one, ALL))


@pytest.mark.parametrize("other", [3_600.0], indirect=True)
async def test_a_killed_process_leaves_its_segments_at_once(clock: Open, other: subprocess.Popen[str]) -> None:
    """
    By its end, not by its silence: that would take an hour.
    """
    one = clock()
    other.kill()
    await eventually(lambda: _holds(one, ALL))


@pytest.mark.parametrize("other", [2.0], indirect=True)
async def test_a_frozen_process_loses_its_segments_and_makes_nothing_when_it_wakes(
    clock: Open, other: subprocess.Popen[str], database: Database
) -> None:
    """
    It sleeps with the locks until Postgres has heard nothing for so long; here two seconds, in life eight.
    """
    one = clock()
    other.send_signal(signal.SIGSTOP)
    await eventually(lambda: _holds(one, ALL))
    other.send_signal(signal.SIGCONT)
    said, _ = other.communicate("go on\n")
    made = await database.fetch("SELECT to_regclass('made_by_a_clock_without_locks') AS made")

    assert ("refused 0\n", None) == (said, made[0]["made"])


@pytest.mark.parametrize("other", [2.0], indirect=True)
async def test_a_process_that_is_frozen_while_postgres_answers_it_loses_its_segments(
    clock: Open, other: subprocess.Popen[str]
) -> None:
    """
    Its session is not idle then: Postgres writes, and nobody reads.
    """
    one = clock()
    assert other.stdin is not None
    other.stdin.write("read\n")
    other.stdin.flush()
    await eventually(lambda: _holds(one, ALL))
    other.send_signal(signal.SIGCONT)
    said, _ = other.communicate()

    assert "refused 0\n" == said


async def _look_in_turn(*clocks: Session) -> None:
    for one in (*clocks, *clocks):
        await hold(one, DatabaseTime())


async def _holds(one: Session, segments: frozenset[int]) -> bool:
    await hold(one, DatabaseTime())
    return one.held == segments


async def _end(database: Database, name: str) -> None:
    await database.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", name)
