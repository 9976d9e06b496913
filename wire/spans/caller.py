"""The trace of whoever calls from outside of Warren's own processes: a web service that submits jobs.

It asks the library only if the service has loaded it: what records there is the service's affair.  The span of the
publish is then recorded there too, by the service's own provider, and the job goes on in its trace.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from wire.spans import names

NAME: Final = "warren"
CARRIED: Final = frozenset({"traceparent", "tracestate", "baggage"})


def carried() -> dict[str, str]:
    """The headers of the caller's trace, if it is in one."""
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry import propagate  # noqa: PLC0415 - who has not loaded the library does not pay for it

    headers: dict[str, str] = {}
    propagate.inject(headers)
    return {name: said for name, said in headers.items() if name in CARRIED}


@contextlib.contextmanager
def publishing(job_type: str, job_id: UUID) -> Iterator[dict[str, str]]:
    """The headers of a message that is published meanwhile."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        yield {}
        return
    said = {
        names.SYSTEM: "rabbitmq", names.OPERATION: "publish", names.OPERATION_TYPE: "send", names.JOB_TYPE: job_type,
        names.MESSAGE_ID: str(job_id), names.JOB_ID: str(job_id),
    }  # fmt: skip
    tracer = trace.get_tracer(NAME)
    with tracer.start_as_current_span(f"publish {job_type}", kind=trace.SpanKind.PRODUCER, attributes=said):
        yield carried()
