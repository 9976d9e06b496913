"""Which suspects may run here: a job is a suspect once a worker has died while it ran.

One after the other, or a crash would not tell which of them did it.  But a worker that is killed from outside makes
suspects of all its jobs, and a hundred jobs of ten minutes one after the other are a day.  So a suspect that has stood
its time lets the next one start beside it.  Should they die together nobody is convicted (see crashes.py), and
each stands twice as long the next time: whatever moment it is at which a job kills, it is soon alone at it.
"""

from __future__ import annotations

from typing import Final

FIRST_SECONDS: Final = 1.0  # most killers kill at once
MOST_DOUBLINGS: Final = 20


class Trial:
    """The suspect that stands here, if one does."""

    def __init__(self) -> None:
        self._suspect: object = None
        self._ends = 0.0

    def stands(self, now: float) -> bool:
        """Whether one does; no other may begin then."""
        return self._suspect is not None and now < self._ends

    def begin(self, suspect: object, crashes: int, now: float) -> None:
        """This one stands from now on, the longer the more often its workers died."""
        self._suspect = suspect
        self._ends = now + FIRST_SECONDS * 2.0 ** min(crashes - 1, MOST_DOUBLINGS)

    def over(self, job: object) -> None:
        """This one has ended, whether it was the suspect or not."""
        if self._suspect is job:
            self._suspect = None
