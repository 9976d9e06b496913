"""The job type that Warren runs in the proof: say so, work for 20 to 50 ms, say so again."""

import asyncio
import os
import random
from pathlib import Path

from pydantic import BaseModel

from deploy.proof.witness import VARIABLE, Witness
from warren import job

witness = Witness(Path(os.environ[VARIABLE]))


class Named(BaseModel):
    job: str


@job("witnessed")
async def witnessed(payload: Named) -> None:
    """Leave a trace that neither RabbitMQ nor Postgres knows of."""
    witness.began(payload.job)
    await asyncio.sleep(random.uniform(0.020, 0.050))  # noqa: S311 - work, not a secret
    witness.ended(payload.job)
