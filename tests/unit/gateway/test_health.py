"""What the checks of a gateway come to."""

from __future__ import annotations

from typing import Literal

import pytest

from gateway.health import BrokerCheck, Check, Checks, PausesCheck, WorkersCheck, status_of

Broker = Literal["ok", "away", "blocked"]


@pytest.mark.parametrize(
    ("database", "broker", "consuming", "status"),
    [
        ("ok", "ok", 1, "ok"),
        ("ok", "ok", 0, "degraded"),
        ("away", "ok", None, "down"),
        ("ok", "away", 1, "down"),
        ("ok", "blocked", 1, "down"),  # it answers, and takes nothing
    ],
)
def test_a_gateway_is_ready_when_both_stores_serve_it(
    database: Literal["ok", "away"], broker: Broker, consuming: int | None, status: str
) -> None:
    checks = Checks(
        Check(database, 1.0), BrokerCheck(broker, 1.0, "4.3"), WorkersCheck("ok", 1, consuming), PausesCheck("ok", 0, 0)
    )

    assert status == status_of(checks)
