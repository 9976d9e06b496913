"""Have one job accepted: it is safe, or the caller is told the id under which to try again."""

from __future__ import annotations

from gateway.entrance.door import unavailable
from persistence.accepting.accept import Accepted, Acceptor
from persistence.accepting.submission import Submission
from wire.errors import Unavailable


async def accepted_of(acceptor: Acceptor, submission: Submission) -> Accepted:
    """What became of it, or Refusal: under the same id it cannot become a second job."""
    try:
        return await acceptor.submit(submission)
    except Unavailable as e:
        raise unavailable(str(submission.id)) from e
