"""What the shop does by the clock: a mail and a report, due again and again for as long as the demo lasts.

Taken down when nothing more is to be submitted.  A demo that is killed cannot do that, so each has an end of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

from warren import Client
from wire.errors import WarrenError

TAGS = ["demo"]
LONGEST = timedelta(days=1)


async def hang(http: Client, seconds: float) -> list[UUID]:
    """Make the schedules; a gateway that is away has none, and the demo goes on without them."""
    ends_at = datetime.now(UTC) + (timedelta(seconds=seconds) if seconds else LONGEST)
    made: list[UUID] = []
    with suppress(WarrenError):
        mail = await http.make_schedule(
            "demo: who has ordered is thanked",
            "demo.mail",
            {"to": "everybody@example.com", "subject": "Thank you"},
            cron_expression="*/5 * * * * *",
            timezone="Europe/Berlin",
            jitter_seconds=2,
            overlap="allow",
            tags=TAGS,
            ends_at=ends_at,
        )
        made.append(mail.id)
        report = await http.make_schedule(
            "demo: the report of the last seconds",
            "demo.report",
            {"pages": 8},
            interval_seconds=2,  # shorter than a report takes now and then: some are skipped
            tags=TAGS,
            ends_at=ends_at,
        )
        made.append(report.id)
    return made


async def take_down(http: Client, schedules: Sequence[UUID]) -> None:
    """Delete them; what they have made stays."""
    with suppress(WarrenError):
        for schedule_id in schedules:
            await http.delete_schedule(schedule_id)
