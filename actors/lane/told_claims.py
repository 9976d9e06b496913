"""Admission that tells OpenTelemetry of its claims: one span a batch, linked with the attempts that it began."""

from __future__ import annotations

from collections.abc import Sequence

from actors.deliveries.delivery import Delivery
from actors.lane.admit import Admission, Verdicts
from persistence.store.served import Served
from wire.tracing import Trace


class ToldAdmission(Admission):
    """The same verdicts."""

    async def admit(self, batch: Sequence[Delivery], suspects: int = 1) -> Verdicts:
        served = Served("claim")
        verdicts = await super().admit(batch, suspects)
        traces = (
            delivery.brought or Trace.kept(claim.traceparent, claim.tracestate) for delivery, claim in verdicts.start
        )
        link = served.ended(traces, len(batch))
        for delivery, _ in verdicts.start:
            delivery.claimed_by = link
        return verdicts
