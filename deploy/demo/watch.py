"""What became of the demo's jobs, as the gateway counts them: read over HTTP, before the demo and during it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from deploy.demo.doors import Places
from deploy.running import health

PREFIX, LANDMARK = "demo.", "demo.order"
ENDED = ("completed", "failed", "cancelled", "expired")
OPEN = ("scheduled", "queued", "running", "retrying")


@dataclass(frozen=True, slots=True)
class Count:
    """How many of the demo's jobs are in each state."""

    states: dict[str, int] = field(default_factory=dict)

    def since(self, before: Count) -> Count:
        """What has ended since then, and what is open now; a row that was retired meanwhile is not less than none."""
        ended = {state: max(self.states.get(state, 0) - before.states.get(state, 0), 0) for state in ENDED}
        return Count(ended | {state: self.states.get(state, 0) for state in OPEN})

    @property
    def ended(self) -> int:
        return sum(self.states.get(state, 0) for state in ENDED)

    @property
    def open(self) -> int:
        return sum(self.states.get(state, 0) for state in OPEN)


async def count(places: Places) -> Count | None:
    """None when the gateway does not say."""
    try:
        answer = json.loads(await asyncio.to_thread(health.get, f"{places.url}/api/v1/stats", places.api_key))
        by_type = answer["jobs"]["by_type"]
    except (OSError, ValueError, LookupError):
        return None
    ours = [states for name, states in by_type.items() if name.startswith(PREFIX)]
    return Count({state: sum(states[state] for states in ours) for state in (*OPEN, *ENDED)})


async def served(places: Places) -> bool:
    """Whether a worker knows the shop's types; an OSError when nobody answers there."""
    try:
        answer = json.loads(await asyncio.to_thread(health.get, f"{places.url}/api/v1/job-types", places.api_key))
        return any(kind["name"] == LANDMARK and kind["workers"] for kind in answer["items"])
    except (ValueError, LookupError, TypeError) as e:
        raise OSError("something answers there that is not Warren") from e
