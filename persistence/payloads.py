"""Judge a payload by its type's JSON Schema: the gateway before it answers, the recorder before a row is born.

The schema is compiled once per version of a type.  The refusal names the path to the value and what was expected of it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any, NoReturn

import jsonschema_rs

from persistence.job_types import JobType
from wire.errors import Refused


def check(payload: Mapping[str, Any], job_type: JobType) -> None:
    """Refused if the payload is not one of this type's."""
    validator = _validator(job_type.payload_schema)
    if validator.is_valid(payload):
        return
    error = next(iter(validator.iter_errors(payload)))
    path = ".".join(str(step) for step in ("payload", *error.instance_path))
    raise Refused(path, _sentence(error.message), f"see the schema of {job_type.name!r} in the list of job types")


@functools.lru_cache(maxsize=1_024)
def _validator(schema: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(schema), retriever=_nowhere)


def _nowhere(uri: str) -> NoReturn:
    """A schema must not make a gateway fetch something."""
    raise ValueError(f"a payload's schema may not refer to {uri}")


def _sentence(message: str) -> str:
    return message if len(message) <= 300 else message[:297] + "..."
