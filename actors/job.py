"""`@job`: a Dramatiq actor with a name for the wire, a payload that is checked, and its own defaults.

The payload's type is the annotation of the function's one parameter: a Pydantic model, whose JSON Schema the gateway
validates with; or `dict`, which takes any object; or no parameter at all.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

import dramatiq
from pydantic import BaseModel, ValidationError

from actors.ends import PermanentError
from wire.fields import LONGEST_TIMEOUT, MAX_RETRIES, PRIORITIES, check_type

Function = Callable[..., Any]
ANY_OBJECT: dict[str, Any] = {"type": "object"}


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What `@job` was given; None means the setting's default."""

    payload: type[BaseModel] | None
    schema: dict[str, Any]
    description: str
    priority: int
    max_retries: int | None = None
    timeout_seconds: float | None = None
    retry_base_seconds: float | None = None
    retry_max_seconds: float | None = None


def job(
    name: str,
    *,
    queue: str = "default",
    priority: int | str = 5,
    max_retries: int | None = None,
    timeout: float | None = None,
    retry_base_seconds: float | None = None,
    retry_max_seconds: float | None = None,
) -> Callable[[Function], dramatiq.Actor[Any, Any]]:
    """Make a function, sync or async, the actor of a job type."""
    level = PRIORITIES.get(priority, 0) if isinstance(priority, str) else priority
    _check(name, level, max_retries, timeout)

    def decorate(function: Function) -> dramatiq.Actor[Any, Any]:
        model = _payload_model(function)
        options = JobOptions(
            payload=model,
            schema=model.model_json_schema() if model else ANY_OBJECT,
            description=inspect.cleandoc(function.__doc__ or ""),
            priority=level,
            max_retries=max_retries,
            timeout_seconds=timeout,
            retry_base_seconds=retry_base_seconds,
            retry_max_seconds=retry_max_seconds,
        )
        declare = dramatiq.actor(actor_name=name, queue_name=queue, job=options)
        return declare(_with_payload(function, model))

    return decorate


def _check(name: str, priority: int, max_retries: int | None, timeout: float | None) -> None:
    check_type(name)
    if not 1 <= priority <= 10:
        raise ValueError(f"@job({name!r}): priority is 1 to 10, or low, medium, high")
    if max_retries is not None and not 0 <= max_retries <= MAX_RETRIES:
        raise ValueError(f"@job({name!r}): max_retries is 0 to {MAX_RETRIES}, got {max_retries}")
    if timeout is not None and not 0 < timeout <= LONGEST_TIMEOUT:
        raise ValueError(f"@job({name!r}): timeout is in seconds, above 0 and up to {LONGEST_TIMEOUT:.0f}")


def _payload_model(function: Function) -> type[BaseModel] | None:
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) > 1:
        name = getattr(function, "__name__", "the function")
        raise TypeError(f"{name} takes {len(parameters)} parameters; a job takes one, its payload (a Pydantic model)")
    if not parameters:
        return None
    hint = get_type_hints(function).get(parameters[0].name, dict)
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None


def _with_payload(function: Function, model: type[BaseModel] | None) -> Function:
    """The function as Dramatiq calls it: the payload's fields are its keyword arguments."""
    takes_payload = bool(inspect.signature(function).parameters)

    def arguments(fields: dict[str, Any]) -> tuple[Any, ...]:
        if not takes_payload:
            return ()
        return (_parsed(model, fields) if model else fields,)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(**fields: Any) -> Any:
            return await function(*arguments(fields))

        return run_async

    @functools.wraps(function)
    def run(**fields: Any) -> Any:
        return function(*arguments(fields))

    return run


def _parsed(model: type[BaseModel], fields: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(fields)
    except ValidationError as e:
        first = e.errors(include_url=False)[0]
        where = ".".join(str(step) for step in ("payload", *first["loc"]))
        raise PermanentError(f"{where}: {first['msg']}") from None
