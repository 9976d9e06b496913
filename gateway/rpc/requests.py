"""Read messages: their fields in our words, by the readers that read the same things for REST.

A job becomes the JSON that every other door takes, its payload in it as a string, so that nothing is judged here.
Refusals come back in the words of the message.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.unknown_fields import UnknownFieldSet

from gateway.answers import encode
from gateway.entrance import query
from gateway.entrance.problems import Fault, Refusal
from gateway.rpc.proto import job_scheduler_pb2 as proto
from wire.errors import Refused
from wire.fields import READERS

OURS: Final = {"job_type": "type", "job_id": "id"}
THEIRS: Final = {"type": "job_type", "id": "job_id", "limit": "page_size", "cursor": "page_token", "body": "request"}

M = TypeVar("M", bound=Message)

FILTERS: Final[Mapping[str, tuple[str, query.Reader]]] = {
    "state": ("state", query.state),
    "job_type": ("type", query.job_type),
    "queue": ("queue", query.text),
    "tag": ("tag", query.text),
    "batch_id": ("batch_id", query.uuid),
    "schedule_id": ("schedule_id", query.uuid),
    "since": ("since", query.instant),
    "page_size": ("limit", query.limit),
    "page_token": ("cursor", query.place),
}


def read(kind: type[M], raw: bytes) -> M:
    """The message in these bytes, or Refused: what is not known here could have been a time limit."""
    try:
        message: M = kind.FromString(raw)
    except DecodeError:
        remedy = "send a message of job_scheduler.proto; text in it is UTF-8"
        raise Refused("request", f"is not a {kind.DESCRIPTOR.full_name}", remedy) from None
    if unknown := {field.field_number for field in UnknownFieldSet(message)}:
        problem = f"has field {min(unknown)}, which this Warren does not know or knows to be of another type"
        raise Refused("request", problem, "make the client of the job_scheduler.proto that this Warren came with")
    return message


def body_of(job: proto.SubmitJobRequest) -> bytes:
    """The job as JSON."""
    return encode({OURS.get(field.name, field.name): _plain(field.name, said) for field, said in job.ListFields()})


def job_id(message: proto.GetJobRequest | proto.CancelJobRequest) -> UUID:
    if not message.job_id:
        raise Refused("id", "is missing", "send the job_id that SubmitJob answered")
    found: UUID = READERS["id"]("id", message.job_id)
    return found


def wait_seconds(message: proto.GetJobRequest) -> float:
    return query.seconds("wait_seconds", str(message.wait_seconds))


def filter_of(message: proto.ListJobsRequest) -> dict[str, Any]:
    """What is wanted, or Refusal with all faults."""
    wanted: dict[str, Any] = {}
    faults: list[Fault] = []
    for field, said in message.ListFields():
        name, reader = FILTERS[field.name]
        try:
            wanted[name] = reader(field.name, str(_plain(field.name, said)))
        except Refused as e:
            told = in_their_words(e)
            faults.append(Fault(told.field, f"{told.field} {told.problem}", told.remedy or None))
    if faults:
        first, many = faults[0], faults if len(faults) > 1 else []
        raise Refusal("malformed", first.detail, field=first.field, remedy=first.remedy, faults=many)
    return wanted


def in_their_words(refused: Refused) -> Refused:
    """The same refusal, naming the field as it is called in the message."""
    return Refused(their_word(refused.field), refused.problem, refused.remedy, code=refused.code)


def their_word(field: str) -> str:
    head, dot, rest = field.partition(".")
    return THEIRS.get(head, head) + dot + rest


def _plain(name: str, said: Any) -> object:
    """As JSON has it."""
    if isinstance(said, Timestamp):
        return _instant(name, said)
    if isinstance(said, proto.Unique):
        return {field.name: _plain(f"{name}.{field.name}", value) for field, value in said.ListFields()}
    if isinstance(said, float) and not math.isfinite(said):
        return str(said)  # JSON has no such number; whoever reads it refuses the word
    return said if isinstance(said, str | int | float) else list(said)


def _instant(name: str, said: Timestamp) -> str:
    try:
        return str(said.ToJsonString())
    except ValueError:
        problem = f"{said.seconds} s and {said.nanos} ns are not a point in time"
        raise Refused(name, problem, "use the years 1 to 9999, and 0 to 999999999 ns") from None
