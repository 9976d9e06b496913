"""`custom`: calls an operation that a project has registered by name (see actors/trades/operations/).

It runs in a child process: nobody knows what an operation does to the process that it runs in, and there its time
limit holds whatever it does.  A worker of an older version may not know an operation yet; then the job is tried again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from actors.job import job
from actors.trades.operations import data_migration
from actors.trades.operations.registry import known, payload_schema
from wire.errors import Refused

__all__ = ["custom", "data_migration"]  # which registers itself


class Custom(BaseModel):
    model_config = ConfigDict(extra="forbid")

    operation: str
    parameters: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """The operations come after this model."""
        return payload_schema()


class Called(BaseModel):
    """What an operation gave back."""

    operation: str = Field(description="Its name")
    result: Any = Field(description="What its function returned")


class NotKnownHere(Exception):
    """This worker has not loaded the module that registers the operation."""


@job("custom", timeout=3_600, isolation="process")
async def custom(payload: Custom) -> Called:
    """Call a registered operation with these parameters."""
    try:
        asked = known(payload.operation)
    except Refused as e:
        raise NotKnownHere(f"{e}; does this worker load the module that registers it (WARREN_ACTORS)?") from None
    arguments = asked.arguments(payload.parameters)
    calling = asked.work(*arguments) if asked.is_async else asyncio.to_thread(asked.work, *arguments)
    return Called(operation=asked.name, result=await calling)
