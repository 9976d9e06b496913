"""`@job`: a Dramatiq actor with a name for the wire, a payload that is checked, and its own defaults.

The payload's type is the annotation of the function's one parameter: a Pydantic model, whose JSON Schema the gateway
validates with; or `dict`, which takes any object; or no parameter at all.  A return annotation that is a model is the
result's: its schema is registered beside the payload's, and what the function returns is made to keep it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final, ParamSpec, Protocol, TypeVar, get_origin, get_type_hints, overload

import dramatiq
from pydantic import BaseModel, ValidationError

from actors.declared.job_options import Isolation, JobOptions
from actors.ends import PermanentError
from actors.sender import declares
from wire.fields import LONGEST_TIMEOUT, LONGEST_WAIT, MAX_RETRIES, PRIORITIES, check_type

Function = Callable[..., Any]
Takes = ParamSpec("Takes")
Returns = TypeVar("Returns")
LEAST_MEMORY_MB: Final = 256  # a child process has half of it in hand before it has begun
ANY_MAPPING = (dict, Mapping, MutableMapping, Any, object)  # annotations that say no more than "an object"


class Declare(Protocol):
    """What `@job(…)` is: a type checker sees the function's payload and result in the actor."""

    @overload
    def __call__(self, function: Callable[Takes, Awaitable[Returns]], /) -> dramatiq.Actor[Takes, Returns]: ...

    @overload
    def __call__(self, function: Callable[Takes, Returns], /) -> dramatiq.Actor[Takes, Returns]: ...


def job(
    name: str,
    *,
    queue: str = "default",
    priority: int | str = 5,
    max_retries: int | None = None,
    timeout: float | None = None,
    retry_base_seconds: float | None = None,
    retry_max_seconds: float | None = None,
    isolation: Isolation | None = None,
    memory_mb: int | None = None,
) -> Declare:
    """Make a function, sync or async, the actor of a job type.

    With `isolation="process"` it runs in a child process of the worker (isolation/), which may take `memory_mb`.
    """
    level = PRIORITIES.get(priority, 0) if isinstance(priority, str) else priority
    _check(name, level, max_retries, timeout)
    _check_waits(name, retry_base_seconds, retry_max_seconds)
    _check_isolation(name, isolation, memory_mb)

    def decorate(function: Function) -> dramatiq.Actor[Any, Any]:
        model, result = _payload_model(function), _result_model(function)
        options = JobOptions(
            payload=model,
            result=result,
            description=inspect.cleandoc(function.__doc__ or ""),
            priority=level,
            max_retries=max_retries,
            timeout_seconds=timeout,
            retry_base_seconds=retry_base_seconds,
            retry_max_seconds=retry_max_seconds,
            isolation=isolation,
            memory_mb=memory_mb,
        )
        declare = dramatiq.actor(broker=declares(), actor_name=name, queue_name=queue, job=options)
        return declare(_in_models(function, model, result))

    return decorate


def missing(value: object) -> bool:
    """For `Field(None, exclude_if=missing)`: a result without it does not name it."""
    return value is None


def _check(name: str, priority: int, max_retries: int | None, timeout: float | None) -> None:
    check_type(name)
    if not isinstance(priority, int) or isinstance(priority, bool) or not 1 <= priority <= 10:
        raise ValueError(f"@job({name!r}): priority is 1 to 10, or low, medium, high")
    if max_retries is not None and not (isinstance(max_retries, int) and 0 <= max_retries <= MAX_RETRIES):
        raise ValueError(f"@job({name!r}): max_retries is a whole number from 0 to {MAX_RETRIES}, got {max_retries}")
    if timeout is not None and not 0 < timeout <= LONGEST_TIMEOUT:
        raise ValueError(f"@job({name!r}): timeout is in seconds, above 0 and up to {LONGEST_TIMEOUT:.0f}")


def _check_waits(name: str, base: float | None, most: float | None) -> None:
    for option, seconds in (("retry_base_seconds", base), ("retry_max_seconds", most)):
        if seconds is not None and not 0 < seconds <= LONGEST_WAIT.total_seconds():
            raise ValueError(f"@job({name!r}): {option} is in seconds, above 0, got {seconds}")


def _check_isolation(name: str, isolation: object, memory_mb: object) -> None:
    if isolation not in (None, "process"):
        raise ValueError(f'@job({name!r}): isolation is "process", or left out, got {isolation!r}')
    if memory_mb is None:
        return
    if isolation is None:
        raise ValueError(f'@job({name!r}): memory_mb holds for a child process; it needs isolation="process"')
    if not isinstance(memory_mb, int) or isinstance(memory_mb, bool) or memory_mb < LEAST_MEMORY_MB:
        raise ValueError(f"@job({name!r}): memory_mb is a whole number from {LEAST_MEMORY_MB}, got {memory_mb!r}")


def _payload_model(function: Function) -> type[BaseModel] | None:
    name = getattr(function, "__name__", "the function")
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) > 1:
        raise TypeError(f"{name} takes {len(parameters)} parameters; a job takes one, its payload (a Pydantic model)")
    if not parameters:
        return None
    if parameters[0].kind not in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
        raise TypeError(f"{name} takes {parameters[0]}; a job takes its payload as one plain parameter")
    hint = _hint(function, name, parameters[0].name)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    if hint in ANY_MAPPING or get_origin(hint) in ANY_MAPPING:
        return None
    raise TypeError(f"{name} takes a payload of type {hint!r}; annotate it with a Pydantic model or with dict")


def _result_model(function: Function) -> type[BaseModel] | None:
    hint = _hint(function, getattr(function, "__name__", "the function"), "return")
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None


def _hint(function: Function, name: str, parameter: str) -> object:
    try:
        return get_type_hints(function).get(parameter, dict)
    except NameError as e:
        raise TypeError(
            f"{name}: its annotations cannot be read: {e}; define the model where a module can see it"
        ) from e


def _in_models(function: Function, model: type[BaseModel] | None, result: type[BaseModel] | None) -> Function:
    """The function as Dramatiq calls it: the payload's fields are its keyword arguments."""
    takes_payload = bool(inspect.signature(function).parameters)

    def arguments(fields: dict[str, Any]) -> tuple[Any, ...]:
        if not takes_payload:
            return ()
        return (_parsed(model, fields) if model else fields,)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(**fields: Any) -> Any:
            return _kept(result, await function(*arguments(fields)))

        return run_async

    @functools.wraps(function)
    def run(**fields: Any) -> Any:
        return _kept(result, function(*arguments(fields)))

    return run


def _parsed(model: type[BaseModel], fields: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(fields)
    except ValidationError as e:
        raise PermanentError(_first_fault("payload", e, fields)) from None


def _kept(model: type[BaseModel] | None, returned: Any) -> Any:
    """What was returned, which whoever reads results by the registered schema can rely on.

    A job that declares a model and returns something else has done its work; to do that again would not help.
    """
    if model is None or isinstance(returned, model):
        return returned
    try:
        return model.model_validate(returned)
    except ValidationError as e:
        raise PermanentError(
            f"what it returned is not its {model.__name__}: {_first_fault('result', e, returned)}"
        ) from None


def _first_fault(root: str, error: ValidationError, value: object) -> str:
    """Where it is and what: of a field that may be several things, the one that fits furthest."""
    faults = error.errors(include_url=False)
    first = next(fault["loc"][:1] for fault in faults)
    fault = max((fault for fault in faults if fault["loc"][:1] == first), key=lambda fault: len(fault["loc"]))
    return f"{'.'.join([root, *_steps(fault['loc'], value)])}: {fault['msg']}"


def _steps(place: tuple[int | str, ...], value: Any) -> Iterator[str]:
    """Those that lead through the value; Pydantic says its choices in between, in words of its own."""
    for number, step in enumerate(place):
        try:
            value = value[step]
        except (LookupError, TypeError):
            if isinstance(value, dict) and number == len(place) - 1:  # it is missing
                yield str(step)
        else:
            yield str(step)
