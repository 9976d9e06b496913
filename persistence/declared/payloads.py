"""Judge a payload by its type's JSON Schema: the gateway before it answers, the recorder before a row is born.

The schema is compiled once per version of a type.  The refusal names the path to the field, also to one that is missing
or that nobody knows, and what was expected of it.  Where a field may be one of several things, it is told of the one
that was meant; a part of a schema that says so itself (`x-problem`, `x-remedy`) is quoted.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Fault

from persistence.declared.job_types import JobType
from wire.errors import Refused

LONGEST: Final = 300  # characters of a problem
MOST_NAMED: Final = 20  # words that a field takes


def check(payload: Mapping[str, Any], job_type: JobType) -> None:
    """Refused if the payload is not one of this type's."""
    validator = _validator(job_type.payload_schema)
    if validator.is_valid(payload):
        return
    error = _meant(next(iter(validator.iter_errors(payload))))
    remedy = f"see the schema of {job_type.name!r} in the list of job types"
    path = [str(step) for step in ("payload", *error.instance_path)]
    match error.kind:
        case Fault.Required(property=missing):
            raise Refused(".".join([*path, missing]), "is missing", remedy)
        case Fault.AdditionalProperties(unexpected=[unknown, *_]):
            near = difflib.get_close_matches(unknown[:80], _known(job_type.payload_schema, nested=len(path) > 1), n=1)
            remedy = f"did you mean {near[0]}?" if near else remedy
            raise Refused(".".join([*path, unknown[:80]]), "is not a field that is known there", remedy)
    said = _annotations(json.loads(job_type.payload_schema), error.schema_path)
    problem = _sentence(str(said.get("x-problem") or _problem(error)))
    raise Refused(".".join(path), problem, str(said.get("x-remedy", remedy)))


def _annotations(schema: Any, path: Sequence[str | int]) -> dict[str, Any]:
    """What the part of the schema says beside the word that was not kept; of a wrong type it says nothing."""
    if path and path[-1] == "type":
        return {}
    for step in path[:-1]:
        try:
            schema = schema[step]
        except (LookupError, TypeError):
            return {}
    return schema if isinstance(schema, dict) else {}


@functools.lru_cache(maxsize=1_024)
def _validator(schema: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(schema), retriever=_nowhere)


def _nowhere(uri: str) -> NoReturn:
    """A schema must not make a gateway fetch something."""
    raise ValueError(f"a payload's schema may not refer to {uri}")


def _meant(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """The fault in that choice of several which the value was meant to be, if one can tell."""
    while choices := _choices(error):
        meant = [choice[0] for choice in choices if not _is_another(choice, error.instance_path)]
        if not meant:
            return error
        error = max(meant, key=lambda fault: len(fault.instance_path))
    return error


def _choices(error: jsonschema_rs.ValidationError) -> list[list[jsonschema_rs.ValidationError]]:
    match error.kind:
        case Fault.AnyOf(context=choices) | Fault.OneOfNotValid(context=choices):
            return [choice for choice in choices if choice]
    return []


def _is_another(choice: Sequence[jsonschema_rs.ValidationError], path: Sequence[str | int]) -> bool:
    """Whether it is about a value of another kind, or one with another name."""
    first = choice[0]
    return (isinstance(first.kind, Fault.Type) and len(first.instance_path) == len(path)) or any(
        isinstance(fault.kind, Fault.Constant) for fault in choice
    )


def _problem(error: jsonschema_rs.ValidationError) -> str:
    match error.kind:
        case Fault.Enum(options=list(options)) if len(options) <= MOST_NAMED:
            return f"{_short(error.instance)!r} is not one of {', '.join(map(_short, options))}"
    faults = dict.fromkeys(choice[0].message for choice in _choices(error) if not _is_null(choice[0]))
    return " and ".join(faults) or error.message


def _is_null(error: jsonschema_rs.ValidationError) -> bool:
    return isinstance(error.kind, Fault.Type) and error.kind.types == ["null"]


def _known(schema: str, *, nested: bool) -> list[str]:
    """The fields that there are, at the top or below it."""
    whole = json.loads(schema)
    models = whole.get("$defs", {}).values() if nested else [whole]
    return sorted({name for model in models for name in model.get("properties", {})})


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _sentence(message: str) -> str:
    """The value comes first, and what is wrong with it at the end."""
    return message if len(message) <= LONGEST else f"{message[: LONGEST - 153]}...{message[-150:]}"
