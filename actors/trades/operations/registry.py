"""The operations of this process, and the JSON Schema of a payload that asks for one of them.

The schema is made when types are registered, which is after the modules of a project are loaded.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, get_type_hints

from pydantic import BaseModel, ValidationError

from actors.ends import PermanentError
from wire.errors import Refused

Work = TypeVar("Work", bound=Callable[..., Any])
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
NO_PARAMETERS: Final[dict[str, Any]] = {"type": "object", "maxProperties": 0}


@dataclass(frozen=True, slots=True)
class Operation:
    """A function and the model of what it takes."""

    name: str
    work: Callable[..., Any]
    takes: type[BaseModel] | None  # None: any object, or nothing
    has_parameter: bool

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.work)

    def arguments(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        """As the function is called; PermanentError for what does not fit."""
        if not self.has_parameter:
            return ()
        if self.takes is None:
            return (dict(parameters),)
        try:
            return (self.takes.model_validate(parameters),)
        except ValidationError as e:
            first = e.errors(include_url=False)[0]
            where = ".".join(str(step) for step in ("payload.parameters", *first["loc"]))
            raise PermanentError(f"{where}: {first['msg']}") from None


_known: dict[str, Operation] = {}


def operation(name: str) -> Callable[[Work], Work]:
    """Have the job type `custom` call this function, sync or async, by this name."""
    if not NAME.fullmatch(name):
        raise ValueError(f"@operation({name!r}): a name has 1 to 64 letters, digits, `_`, `.` and `-`")

    def register(work: Work) -> Work:
        before = _known.get(name)
        if before is not None and _place(before.work) != _place(work):
            raise ValueError(f"@operation({name!r}): {_place(before.work)} is registered under this name already")
        takes, has_parameter = _taken(name, work)
        _known[name] = Operation(name, work, takes, has_parameter)
        return work

    return register


def known(name: str) -> Operation:
    """The operation of this name; Refused with those that there are."""
    if name not in _known:
        names = ", ".join(sorted(_known))
        raise Refused("payload.operation", f"there is no operation {name!r}", f"known: {names}", code="not_found")
    return _known[name]


def payload_schema() -> dict[str, Any]:
    """JSON Schema of a payload that asks for one of those that are known now."""
    all_of_them = [_known[name] for name in sorted(_known)]
    models: dict[str, Any] = {}
    return {
        "title": "Custom",
        "type": "object",
        "additionalProperties": False,
        "required": ["operation"],
        "properties": {
            "operation": {"enum": [one.name for one in all_of_them], "description": "The name of a function"},
            "parameters": {"type": "object", "default": {}, "description": "What that function asks for"},
        },
        "allOf": [_judged(one, models) for one in all_of_them],
        "$defs": models,
        "examples": [example for one in all_of_them for example in _examples(one)],
    }


def _place(work: Callable[..., Any]) -> str:
    return f"{work.__module__}.{work.__qualname__}"


def _taken(name: str, work: Callable[..., Any]) -> tuple[type[BaseModel] | None, bool]:
    parameters = list(inspect.signature(work).parameters)
    if len(parameters) > 1:
        raise TypeError(f"@operation({name!r}): it takes {len(parameters)} parameters; one model of them, or none")
    if not parameters:
        return None, False
    hint = get_type_hints(work).get(parameters[0], dict)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint, True
    return None, True


def _judged(one: Operation, models: dict[str, Any]) -> dict[str, Any]:
    """If it is asked for, its parameters are as its model says; the models within that go to the others."""
    if one.takes is not None:
        parameters: dict[str, Any] = one.takes.model_json_schema(ref_template=f"#/$defs/{one.name}:{{model}}")
        models |= {f"{one.name}:{model}": said for model, said in parameters.pop("$defs", {}).items()}
    else:
        parameters = {"type": "object"} if one.has_parameter else NO_PARAMETERS
    asked = {"required": ["operation"], "properties": {"operation": {"const": one.name}}}
    needed = ["parameters"] if parameters.get("required") else []
    return {"if": asked, "then": {"required": needed, "properties": {"parameters": parameters}}}


def _examples(one: Operation) -> list[dict[str, Any]]:
    """Those of its model."""
    extra = one.takes.model_config.get("json_schema_extra") if one.takes else None
    found = extra.get("examples") if isinstance(extra, dict) else None
    return [{"operation": one.name, "parameters": said} for said in found] if isinstance(found, list) else []
