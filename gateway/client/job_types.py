"""What a client asks about job types: what may be submitted, of what shape, and what comes back.

A program that cannot import a job still finds both shapes here, as JSON Schema.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from gateway.client.link import Link

JOB_TYPES: Final = "/api/v1/job-types"


class JobType(Struct, frozen=True, kw_only=True):
    """A type as its workers registered it."""

    name: str
    queue: str
    description: str = ""
    payload_schema: dict[str, Any]
    result_schema: dict[str, Any] | None = None  # None: it does not say
    priority: int
    max_retries: int
    timeout_seconds: float
    retry_base_seconds: float
    retry_max_seconds: float
    workers: int = 0  # live ones that serve it


class JobTypeList(Struct, frozen=True):
    items: tuple[JobType, ...]


class JobTypeCalls:
    """The calls of a client that are about job types."""

    _link: Link

    async def job_types(self) -> tuple[JobType, ...]:
        """All types, by name."""
        body, _ = await self._link.ask("GET", JOB_TYPES)
        return msgspec.json.decode(body, type=JobTypeList).items

    async def job_type(self, name: str) -> JobType:
        """The type of that name, or NotFound."""
        body, _ = await self._link.ask("GET", f"{JOB_TYPES}/{quote(name, safe='')}")
        return msgspec.json.decode(body, type=JobType)
