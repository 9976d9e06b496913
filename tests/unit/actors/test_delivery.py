"""A delivery's body may be read ahead of its job's start; what is wrong with it is told at the start all the same."""

from __future__ import annotations

import pytest

from actors.deliveries.delivery import Delivery
from wire.errors import Refused
from wire.message import Incoming


def delivery(body: bytes) -> Delivery:
    return Delivery(Incoming(body, "jobs", "job.echo.p5", "work.default"), 1, 1)


def test_a_body_that_was_read_ahead_is_read_once_and_given_out_once() -> None:
    """
    An actor may change what it is given, and a second attempt must not see that.
    """
    ahead = delivery(b'{"payload": {"n": 1}}')
    ahead.read_ahead()
    given = ahead.read()
    given["payload"]["n"] = 2

    assert {"payload": {"n": 1}} == ahead.read()


@pytest.mark.parametrize("body", [b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 200 + b"]" * 200])
def test_a_body_that_is_refused_is_refused_when_its_job_starts(body: bytes) -> None:
    ahead = delivery(body)
    ahead.read_ahead()

    with pytest.raises(Refused):
        ahead.read()
