"""Say in gRPC's words what is refused: the status, one sentence with the remedy, and Google's details beside it.

The details (`grpc-status-details-bin`, google.rpc.Status) are for programs: ErrorInfo has our word for the kind of
error, BadRequest names the fields, RetryInfo says after how long, RequestInfo by which id the log tells more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from gateway.entrance.door import RETRY_AFTER_SECONDS
from gateway.entrance.problems import Fault, Refusal
from gateway.rpc.requests import their_word

DOMAIN: Final = "warren"
DETAILS: Final = "grpc-status-details-bin"
LONGEST: Final = 500  # characters of a sentence: headers are bounded, and what is not ASCII takes thrice its bytes

CODES: Final[Mapping[str, StatusCode]] = {
    "malformed": StatusCode.INVALID_ARGUMENT,
    "unknown_type": StatusCode.INVALID_ARGUMENT,
    "id_reused": StatusCode.ALREADY_EXISTS,
    "wrong_state": StatusCode.FAILED_PRECONDITION,
    "not_found": StatusCode.NOT_FOUND,
    "too_large": StatusCode.RESOURCE_EXHAUSTED,  # as gRPC itself says of a message that is
    "limit_reached": StatusCode.RESOURCE_EXHAUSTED,
    "unauthorized": StatusCode.UNAUTHENTICATED,
    "unavailable": StatusCode.UNAVAILABLE,
    "internal": StatusCode.INTERNAL,
}


class Told(NamedTuple):
    """What the caller is sent."""

    code: StatusCode
    sentence: str
    trailers: tuple[tuple[str, str | bytes], ...]


def told(refusal: Refusal, request_id: str) -> Told:
    code = CODES.get(refusal.kind, StatusCode.UNKNOWN)
    said = f"{refusal.detail}; {refusal.remedy}" if refusal.remedy else refusal.detail
    sentence = _short(said)
    status = Status(code=code.value[0], message=sentence)
    for detail in _details(refusal, request_id):
        status.details.add().Pack(detail)
    trailers: list[tuple[str, str | bytes]] = [(DETAILS, status.SerializeToString())]
    if refusal.job_id:
        trailers.append(("job-id", refusal.job_id))  # sent again, it cannot become a second job
    return Told(code, sentence, tuple(trailers))


def _details(refusal: Refusal, request_id: str) -> Iterator[Any]:
    about = {"field": their_word(refusal.field)} if refusal.field else {}
    about |= {"job_id": refusal.job_id} if refusal.job_id else {}
    yield ErrorInfo(reason=refusal.kind.upper(), domain=DOMAIN, metadata=about)
    yield RequestInfo(request_id=request_id)
    if refusal.kind in ("malformed", "unknown_type") and refusal.field:
        faults = refusal.faults or [Fault(refusal.field, refusal.detail, refusal.remedy)]
        yield BadRequest(field_violations=[_violation(fault) for fault in faults[:8]])
    if refusal.kind == "unavailable":
        again = RetryInfo()
        again.retry_delay.seconds = int(RETRY_AFTER_SECONDS)
        yield again


def _violation(fault: Fault) -> Any:
    said = f"{fault.detail}; {fault.remedy}" if fault.remedy else fault.detail
    return BadRequest.FieldViolation(field=fault.field, description=_short(said))


def _short(said: str) -> str:
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
