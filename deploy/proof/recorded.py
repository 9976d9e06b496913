"""Ask Postgres what Warren recorded: `python -m deploy.proof.recorded` prints it as one line of JSON.

A process of its own, because asking needs the environment's libraries, which the proof itself runs without.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from deploy.proof.ledger import Recorded
from deploy.running.roles import module


def ask(python: Path, environ: Mapping[str, str]) -> Recorded:
    """What stands in the database that this environment names."""
    said = subprocess.run(
        module(python, "deploy.proof.recorded"), env=dict(environ), capture_output=True, text=True, check=False
    )
    if said.returncode:
        raise RuntimeError(f"what was recorded could not be read:\n{said.stderr}")
    return Recorded(**json.loads(said.stdout))


async def _read(url: str) -> Recorded:
    from persistence.questions import ledger  # noqa: PLC0415 - in the environment only
    from persistence.store.database import Database  # noqa: PLC0415

    database = Database(url, "proof", connections=1, timeout_seconds=60)
    found = await ledger.recorded(database)
    await database.stop()
    return Recorded(
        completed=found.completed,
        twice=found.twice,
        unfinished=found.unfinished,
        blamed=found.blamed,
        crashed=found.crashed,
        superseded=found.superseded,
    )


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_read(os.environ["WARREN_DATABASE_URL"])))))
    sys.exit(0)
