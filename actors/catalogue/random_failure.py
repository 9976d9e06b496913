"""`random_failure`: fails at a given rate, to see how retries look; the same seed fails the same attempts."""

from __future__ import annotations

import random

from pydantic import BaseModel, ConfigDict, Field

from actors.context import context
from actors.job import job


class Chance(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"failure_rate": 0.3}]})

    failure_rate: float = Field(0.5, ge=0, le=1, description="Share of attempts that fail")
    seed: int | None = Field(None, description="Makes the failures of each attempt repeatable")


class Lucky(BaseModel):
    attempt: int = Field(description="The one that did not fail, from 1")


class ChanceFailure(Exception):
    """The dice said so."""


@job("random_failure", timeout=30)
async def fail_at_random(payload: Chance) -> Lucky:
    """Fail at this rate, else say which attempt it was."""
    attempt = context().attempt
    seed = None if payload.seed is None else f"{payload.seed}/{attempt}"
    if random.Random(seed).random() < payload.failure_rate:  # noqa: S311 - dice, not a secret
        raise ChanceFailure(f"attempt {attempt} failed by chance ({payload.failure_rate:.0%})")
    return Lucky(attempt=attempt)
