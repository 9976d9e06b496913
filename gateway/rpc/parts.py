"""What the services of the gRPC door are made of: parts of the gateway that REST is made of too.  Loads no gRPC."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ending.cancelling import Cancelling
from gateway.entrance.access import Access
from gateway.health import Reporter
from gateway.reading.jobs import Standing
from gateway.submitting.submit import Submitter
from persistence.accepting.accept import Acceptor


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services are made of."""

    access: Access
    submitter: Submitter
    acceptor: Acceptor
    standing: Standing
    cancelling: Cancelling
    reporter: Reporter
    max_bytes: int
    trace_url: str
