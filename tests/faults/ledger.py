"""What became of a load, counted from the witness; our own tables say only what the witness cannot know.

Lost: accepted, and never run to its end.  Doubled: recorded more than once, or not at all.  Blamed: failed as `poison`,
though only its process was killed; one conviction is none yet.  A job may run twice, if a killed process held it;
`unexplained` are those that ran twice and were not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from tests.faults.witness import Witness, in_flight, worker_pid
from tests.journey.api import Api

STANDING = "SELECT job_id, worker FROM attempts WHERE job_id = ANY($1) AND outcome = 'completed'"
BLAMED = "SELECT id FROM jobs WHERE id = ANY($1) AND reason = 'poison'"
CONVICTED = "SELECT count(*) AS jobs FROM jobs WHERE id = ANY($1) AND convictions > 0"
OPEN = "SELECT count(*) AS open FROM jobs WHERE id = ANY($1) AND state <> 'completed'"


@dataclass(frozen=True, slots=True)
class Ledger:
    accepted: int
    ran_twice: int
    in_flight: int
    convicted: int
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    blamed: set[str] = field(default_factory=set)
    unexplained: set[str] = field(default_factory=set)

    @property
    def faults(self) -> dict[str, int]:
        """What must be empty."""
        told = {"lost": self.lost, "doubled": self.doubled, "blamed": self.blamed, "unexplained": self.unexplained}
        return {name: len(jobs) for name, jobs in told.items() if jobs}

    def line(self) -> str:
        return (
            f"accepted {self.accepted}, lost {len(self.lost)}, recorded twice or not {len(self.doubled)}, "
            f"blamed {len(self.blamed)} (convicted once or twice: {self.convicted}), "
            f"ran twice {self.ran_twice} of {self.in_flight} in flight at the kills"
        )


async def ledger(api: Api, witness: Witness, ids: Collection[str], killed: Sequence[int] = ()) -> Ledger:
    """Of these jobs, once they have ended; `killed` are the workers that were."""
    accepted = set(ids)
    rows = [(str(row["job_id"]), worker_pid(row["worker"])) for row in await api.sql(STANDING, list(accepted))]
    recorded = Counter(job_id for job_id, _ in rows)
    held = in_flight(witness.look(), killed, set(rows)) & accepted
    twice = witness.ran_twice() & accepted
    return Ledger(
        accepted=len(accepted),
        ran_twice=len(twice),
        in_flight=len(held),
        lost=accepted - witness.ended(),
        doubled={job_id for job_id in accepted if recorded[job_id] != 1},
        convicted=(await api.sql(CONVICTED, list(accepted)))[0]["jobs"],
        blamed={str(row["id"]) for row in await api.sql(BLAMED, list(accepted))},
        unexplained=twice - held,
    )


async def completed(api: Api, ids: Collection[str]) -> bool:
    """Whether all of them are, as the rows say."""
    (row,) = await api.sql(OPEN, list(ids))
    return row["open"] == 0
