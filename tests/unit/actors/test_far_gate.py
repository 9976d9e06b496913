"""A child process's visits stand in its worker's line: what is asked there arrives, and nobody waits for the dead."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import msgspec

from actors.context import Context, InnerDoor
from actors.isolation.answering import Answering
from actors.isolation.said import Answer, Come, Drop, Gone, to_worker
from persistence.hosts.turns import Asking, Leaving, Left, Turn
from wire.tracing import Trace

JOB = UUID(int=7)
ASKING = Asking("https://example.org", JOB, 2, 5, 1.0, 35.0, in_place=True)
LEAVING = Leaving("https://example.org", JOB, 2, 0.4, refused=True, hold_seconds=60.0, returns=True)
TURN, LEFT = Turn(False, 1.5, 3), Left(60.0, 1.0, 4.0, has_line=True)


class Line:
    """Answers at once, or never; what it has heard is kept."""

    def __init__(self, *, moves: bool) -> None:
        self.heard, self.gave_up, self._moves = list[object](), list[Asking](), moves

    async def ask(self, asking: Asking) -> Turn:
        self.heard.append(asking)
        try:
            await asyncio.sleep(0 if self._moves else 3_600)
        except asyncio.CancelledError:
            self.gave_up.append(asking)
            raise
        return TURN

    def leave(self, leaving: Leaving) -> asyncio.Future[Left]:
        self.heard.append(leaving)
        left = asyncio.get_running_loop().create_future()
        left.set_result(LEFT)
        return left


def answering(line: Line, said: list[Any]) -> Answering:
    door = cast("InnerDoor", SimpleNamespace(gate=line))
    return Answering(1, Context(JOB, "visits", "default", 1, 3, 5, Trace.begin(), door=door), said.append)


def crossed(message: msgspec.Struct) -> Any:
    return to_worker(msgspec.msgpack.encode(message))


async def turns(times: int = 5) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def test_what_is_asked_and_what_is_answered_arrives_as_it_was() -> None:
    line, said = Line(moves=True), list[Any]()
    worker = answering(line, said)
    worker.heard(crossed(Come(1, 4, ASKING)))
    worker.heard(crossed(Gone(1, 5, LEAVING)))
    await turns()
    answers = {one.call: bytes(one.value) for one in said if isinstance(one, Answer) and one.error is None}

    assert [ASKING, LEAVING] == line.heard
    assert TURN == msgspec.msgpack.decode(answers[4], type=Turn)
    assert LEFT == msgspec.msgpack.decode(answers[5], type=Left)


async def test_who_waits_in_line_and_dies_or_is_interrupted_is_taken_out_of_it() -> None:
    """
    Else the turn would be his when it comes, and the host be asked by nobody until its deadline.
    """
    line, said = Line(moves=False), list[Any]()
    worker = answering(line, said)
    worker.heard(crossed(Come(1, 4, ASKING)))
    worker.heard(crossed(Come(1, 5, ASKING)))
    await turns()
    before = len(line.gave_up)
    worker.heard(crossed(Drop(1, 4)))
    await turns()
    interrupted = len(line.gave_up)
    worker.close()
    await turns()

    assert (0, 1, 2) == (before, interrupted, len(line.gave_up))
