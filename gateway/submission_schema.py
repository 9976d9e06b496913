"""The envelope as JSON Schema, and with it the payload schemas of the types that the workers registered.

For people and generators: what refuses a request is `wire.envelope` and `persistence.payloads`.  A test sends the
examples and the limits of this schema through those, so that the two do not drift apart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from persistence.job_types import JobType
from wire.fields import LONGEST_TIMEOUT, LONGEST_WAIT, MAX_KEY, MAX_RETRIES, MAX_TAG, MAX_TAGS, MAX_TYPE, PRIORITIES

_UUID: Final = {"type": "string", "format": "uuid"}
_INSTANT: Final = {"type": "string", "format": "date-time", "description": "ISO 8601 with a time zone"}

FIELDS: Final[dict[str, dict[str, Any]]] = {
    "v": {"const": 1, "description": "Version of the envelope"},
    "id": {**_UUID, "description": "Your id for the job; ours is a UUID version 7"},
    "type": {"type": "string", "maxLength": MAX_TYPE, "pattern": r"^[a-z0-9_]+(\.[a-z0-9_]+)*$"},
    "payload": {"type": "object", "description": "What the job type's payload schema says"},
    "priority": {
        "oneOf": [{"type": "integer", "minimum": 1, "maximum": 10}, {"enum": list(PRIORITIES)}],
        "description": "10 is the highest; low is 2, medium 5, high 8",
    },
    "max_retries": {"type": "integer", "minimum": 0, "maximum": MAX_RETRIES},
    "timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_TIMEOUT},
    "run_at": {**_INSTANT, "description": "When to start; not beside delay"},
    "delay": {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT.total_seconds(), "description": "Seconds"},
    "expires_at": {**_INSTANT, "description": "After this time it is not started any more"},
    "tags": {
        "type": "array", "maxItems": MAX_TAGS, "items": {"type": "string", "minLength": 1, "maxLength": MAX_TAG},
    },
    "batch_id": _UUID,
    "idempotency_key": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
}  # fmt: skip


def submission_schema(types: Sequence[JobType]) -> dict[str, Any]:
    """The schemas by name: `Submission`, and `payload.<type>` for each type."""
    payloads = {f"payload.{t.name}": _rebased(json.loads(t.payload_schema), f"payload.{t.name}") for t in types}
    submission: dict[str, Any] = {
        "type": "object",
        "description": "A job to do. Fields that begin with `x_` are kept and carried; other unknown ones are refused.",
        "required": ["type", "payload"],
        "properties": FIELDS,
        "patternProperties": {"^x_": {}},
        "additionalProperties": False,
    }
    if types:
        submission["allOf"] = [_payload_of(job_type.name) for job_type in types]
    return {"Submission": submission, **payloads}


def _payload_of(name: str) -> dict[str, Any]:
    return {
        "if": {"properties": {"type": {"const": name}}},
        "then": {"properties": {"payload": {"$ref": f"#/components/schemas/payload.{name}"}}},
    }


def _rebased(schema: Any, name: str) -> Any:
    """The schema with its own references made to point into the document."""
    if isinstance(schema, list):
        return [_rebased(item, name) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _moved(value, name) if key == "$ref" else _rebased(value, name) for key, value in schema.items()}


def _moved(reference: Any, name: str) -> Any:
    if isinstance(reference, str) and reference.startswith("#"):
        return f"#/components/schemas/{name}{reference[1:]}"
    return _rebased(reference, name)  # a property that is called $ref
