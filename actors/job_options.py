"""What `@job` says of a type, beside its name and its queue: carried by the actor, read when types are registered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What `@job` was given; None means the setting's default."""

    payload: type[BaseModel] | None
    schema: dict[str, Any]
    description: str
    priority: int
    max_retries: int | None = None
    timeout_seconds: float | None = None
    retry_base_seconds: float | None = None
    retry_max_seconds: float | None = None
