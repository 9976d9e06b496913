"""`echo`: gives its payload back."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from actors.job import job


class Echo(BaseModel):
    """Anything; `message` is customary."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [{"message": "Hello World"}]})


@job("echo", timeout=30)
async def echo(payload: Echo) -> Echo:
    """Return the payload as it was sent."""
    return payload
