"""Problems name the field and the remedy, and nothing else."""

from __future__ import annotations

import json

import pytest

from gateway.entrance import problems
from gateway.entrance.problems import KINDS, Refusal
from wire.errors import Refused


def test_a_refusal_of_the_wire_keeps_its_words() -> None:
    response = problems.answer(Refusal.of(Refused("priority", "0 is not a priority", "use 1 to 10")), "r-1")

    assert "application/problem+json" == response.content_type
    assert {
        "type": "/problems#malformed",
        "title": "Malformed request",
        "status": 422,
        "detail": "priority 0 is not a priority",
        "request_id": "r-1",
        "field": "priority",
        "remedy": "use 1 to 10",
    } == json.loads(bytes(response.body))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "status"), [("id_reused", 409), ("too_large", 413), ("unknown_type", 422), ("new", 422)]
)
def test_the_wire_s_codes_have_their_status(code: str, status: int) -> None:
    refusal = Refusal.of(Refused("id", "is used", code=code))

    assert status == KINDS[refusal.kind].status


def test_every_status_is_an_error() -> None:
    assert all(400 <= kind.status < 600 for kind in KINDS.values())
