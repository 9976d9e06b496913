"""What a job knows of its schedule is read from its envelope, and only what a schedule wrote there."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from wire.scheduled import Scheduled, scheduled

ID = "019aa5d1-0000-7c4e-9d3a-2b1f0c8e7a61"
DUE = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_job_of_a_schedule_knows_it() -> None:
    body = f"""{{"type": "a", "payload": {{}}, "x_schedule": {{"id": "{ID}", "name": "n",
               "due_at": "2026-11-21T12:00:00Z", "following": ["2026-11-21T13:00:00Z"]}}}}"""

    assert Scheduled(UUID(ID), DUE, "n", (DUE.replace(hour=13),)) == scheduled(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not JSON", b'{"type": "a", "payload": {}}', b'{"payload": {"x_schedule": {}}}', b'{"x_schedule": null}',
        b'{"x_schedule": 1}', b'{"x_schedule": {"id": "1"}}', b'["x_schedule"]', b'{"x_schedule": {"id": "\xff"}}',
    ],
)  # fmt: skip
def test_any_other_job_knows_none(body: bytes) -> None:
    """
    A field that begins with x_ is anybody's: what is written there by a stranger is no schedule, and no fault.
    """
    assert scheduled(body) is None
