"""The envelope as JSON Schema, and with it the schemas of payloads and results that the workers registered.

For people and generators: what refuses a request is wire/envelope.py and declared/payloads.py.  A test sends the
examples and the limits of this schema through those, so that the two do not drift apart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from persistence.declared.job_types import JobType
from wire.fields import LONGEST_TIMEOUT, LONGEST_WAIT, MAX_KEY, MAX_RETRIES, MAX_TAG, MAX_TAGS, MAX_TYPE, PRIORITIES
from wire.states import State
from wire.unique import LONGEST_SECONDS, MOST_PATH, MOST_PATHS, OPEN

_UUID: Final = {"type": "string", "format": "uuid"}
_INSTANT: Final = {"type": "string", "format": "date-time", "description": "ISO 8601 with a time zone"}

REQUIRED: Final = ("type", "payload")
_UNIQUE: Final = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "by": {
            "type": "array", "minItems": 1, "maxItems": MOST_PATHS, "default": ["payload"],
            "items": {"type": "string", "pattern": r"^payload(\.[^.]+)*$", "maxLength": MOST_PATH},
            "description": "What the two must agree in, such as `payload.url`",
        },
        "within_seconds": {
            "type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_SECONDS,
            "description": "How old the earlier one may be; without it, of any age",
        },
        "states": {
            "type": "array", "minItems": 1, "items": {"enum": [state.value for state in State]},
            "default": [state.value for state in OPEN], "description": "In which state it must be",
        },
    },
}  # fmt: skip

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
    "unique": {
        "description": "An earlier job of this type stands for this one; true means `{}`",
        "oneOf": [{"type": "boolean"}, _UNIQUE],
    },
}  # fmt: skip


def submission_schema(types: Sequence[JobType]) -> dict[str, Any]:
    """The schemas by name: `Submission`, and for each type `payload.<type>` and, if it says so, `result.<type>`."""
    payloads = {name: _rebased(json.loads(t.payload_schema), name) for t in types for name in [f"payload.{t.name}"]}
    results = {
        name: _rebased(json.loads(t.result_schema), name)
        for t in types
        for name in [f"result.{t.name}"]
        if t.result_schema
    }
    submission: dict[str, Any] = {
        "type": "object",
        "description": "A job to do. Null is the same as leaving a field out. Fields that begin with `x_` are kept and "
        "carried; other unknown ones are refused.",
        "required": list(REQUIRED),
        "properties": {name: schema if name in REQUIRED else _or_null(schema) for name, schema in FIELDS.items()},
        "patternProperties": {"^x_": {}},
        "additionalProperties": False,
    }
    if types:
        submission |= by_type([_payload_of(job_type.name) for job_type in types])
    return {"Submission": submission, **payloads, **results}


def examples_of(types: Sequence[JobType]) -> dict[str, Any]:
    """A job of each type, with the payloads that its author gave as examples."""
    return {
        t.name if number == 1 else f"{t.name} ({number})": {
            "summary": f"{t.name}: {t.description.partition(chr(10))[0]}",
            "value": {"type": t.name, "payload": payload},
        }
        for t in types
        for number, payload in enumerate(json.loads(t.payload_schema).get("examples", ()), 1)
    }


def result_of(types: Sequence[JobType]) -> list[dict[str, Any]]:
    """What a job's `result` is by its type; null while there is none, and where it lies beside the job."""
    return [
        {
            "if": {"properties": {"type": {"const": t.name}}},
            "then": {
                "properties": {
                    "result": {"anyOf": [{"$ref": f"#/components/schemas/result.{t.name}"}, {"type": "null"}]}
                }
            },
        }
        for t in types
        if t.result_schema
    ]


def by_type(cases: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What depends on the type; said so that ReDoc passes it over, which takes the last case of an `allOf` for all."""
    return {"dependentSchemas": {"type": {"allOf": list(cases)}}} if cases else {}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Null is the same as leaving a field out."""
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    if "const" in schema:
        return {**{name: said for name, said in schema.items() if name != "const"}, "enum": [schema["const"], None]}
    return {**schema, "oneOf": [*schema["oneOf"], {"type": "null"}]}


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
