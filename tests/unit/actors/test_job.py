"""`@job`: a declaration is taken or refused with a sentence, and the function gets the payload it was written for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Optional, TypedDict

import dramatiq
import pytest
from pydantic import BaseModel, Field

from actors.attempts.craft import coroutine_function
from actors.broker import JobBroker
from actors.declared.job_options import ANY_OBJECT, JobOptions
from actors.ends import PermanentError
from actors.job import job
from wire.errors import Refused


class Mail(BaseModel):
    to: str
    copies: int = Field(1, ge=1)


Short = Annotated[str, Field(max_length=5)]


class Loose(TypedDict):
    to: str


def with_model(payload: Mail) -> str:
    """Send it."""
    return f"{payload.to} {payload.copies}"


async def with_model_async(payload: Mail) -> str:
    return f"{payload.to} {payload.copies}"


def with_dict(payload: dict[str, Any]) -> dict[str, Any]:
    return payload


def with_mapping(payload: Mapping[str, object]) -> dict[str, object]:
    return dict(payload)


def with_bare_dict(payload: dict) -> dict[str, Any]:  # type: ignore[type-arg]
    return payload


def without_annotation(payload):  # type: ignore[no-untyped-def]
    return payload


def with_any(payload: Any) -> Any:
    return payload


def positional_only(payload: Mail, /) -> str:
    return payload.to


def with_default(payload: Mail = Mail(to="nobody")) -> str:  # noqa: B008 - Pydantic models are values here
    return payload.to


def with_nothing() -> str:
    return "done"


async def with_nothing_async() -> str:
    return "done"


def options(actor: dramatiq.Actor[Any, Any]) -> JobOptions:
    found: JobOptions = actor.options["job"]
    return found


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize(
    ("function", "fields", "result"),
    [
        (with_model, {"to": "a"}, "a 1"),
        (with_model, {"to": "a", "copies": 2, "more": 3}, "a 2"),
        (positional_only, {"to": "a"}, "a"),
        (with_default, {"to": "a"}, "a"),
        (with_dict, {"a": 1, "self": 2, "payload": 3}, {"a": 1, "self": 2, "payload": 3}),
        (with_mapping, {"a": 1}, {"a": 1}),
        (with_bare_dict, {"a": 1}, {"a": 1}),
        (without_annotation, {"a": 1}, {"a": 1}),
        (with_any, {}, {}),
        (with_nothing, {}, "done"),
        (with_nothing, {"ignored": 1}, "done"),
    ],
)
def test_a_function_gets_its_payload(function: Callable[..., Any], fields: dict[str, Any], result: object) -> None:
    assert result == job("under_test")(function).fn(**fields)


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize(
    ("function", "fields", "result"), [(with_model_async, {"to": "a"}, "a 1"), (with_nothing_async, {}, "done")]
)
def test_an_async_function_stays_one(function: Callable[..., Any], fields: dict[str, Any], result: object) -> None:
    """
    The lane runs it on its loop and never on a thread.
    """
    raw = coroutine_function(job("under_test")(function))

    assert raw is not None
    assert result == asyncio.run(raw(**fields))


@pytest.mark.usefixtures("broker")
def test_a_sync_function_is_none_for_the_loop() -> None:
    assert None is coroutine_function(job("under_test")(with_model))


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "payload.to: Field required"),
        ({"to": 1}, "payload.to: Input should be a valid string"),
        ({"to": "a", "copies": 0}, "payload.copies: Input should be greater than or equal to 1"),
    ],
)
def test_a_payload_that_does_not_fit_fails_for_good_and_names_the_field(fields: dict[str, Any], sentence: str) -> None:
    """
    It will not fit the next time either.
    """
    with pytest.raises(PermanentError, match=sentence):
        job("under_test")(with_model).fn(**fields)


class Choices(BaseModel):
    to: Short | list[Short]
    file: Short | Mail | None = None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"to": ["Ada", "x" * 9]}, "payload.to.1: String should have at most 5 characters"),
        ({"to": "Ada", "file": {"to": "Bob", "copies": 0}}, "payload.file.copies: Input should be greater"),
        ({"to": "Ada", "file": {"copies": 2}}, "payload.file.to: Field required"),
        ({}, "payload.to: Field required"),
    ],
)
@pytest.mark.usefixtures("broker")
def test_of_several_choices_the_one_that_was_meant_is_told(fields: dict[str, Any], sentence: str) -> None:
    def takes(payload: Choices) -> None: ...

    with pytest.raises(PermanentError) as refused:
        job("under_test")(takes).fn(**fields)

    assert str(refused.value).startswith(sentence)


@pytest.mark.usefixtures("broker")
def test_what_is_returned_is_what_was_declared() -> None:
    """
    Whoever reads results by the registered schema can rely on it; to do the work again would not help.
    """

    def returns(payload: dict[str, Any]) -> Mail:
        return payload  # type: ignore[return-value] - as a program without a type checker does

    actor = job("under_test")(returns)

    assert Mail(to="Ada", copies=1) == actor.fn(to="Ada")
    with pytest.raises(PermanentError, match=r"what it returned is not its Mail: result\.copies: Input should be"):
        actor.fn(to="Ada", copies=0)


@pytest.mark.usefixtures("broker")
def test_what_was_declared_is_kept_for_the_wire() -> None:
    actor = job(
        "mail.send",
        queue="mail",
        priority="high",
        max_retries=0,
        timeout=1.5,
        retry_base_seconds=1,
        retry_max_seconds=9,
    )(with_model)

    assert ("mail.send", "mail") == (actor.actor_name, actor.queue_name)
    assert JobOptions(
        payload=Mail, description="Send it.", priority=8, max_retries=0,
        timeout_seconds=1.5, retry_base_seconds=1, retry_max_seconds=9,
    ) == options(actor)  # fmt: skip


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("function", [with_dict, without_annotation, with_nothing])
def test_without_a_model_any_object_is_taken(function: Callable[..., Any]) -> None:
    actor = job("under_test")(function)

    assert (None, ANY_OBJECT, "") == (options(actor).payload, options(actor).schema, options(actor).description)


@pytest.mark.parametrize(
    ("name", "wrong", "sentence"),
    [
        ("Mail", {}, "'Mail' is not a job type's name; use lower-case words joined by dots"),
        ("send-mail", {}, "is not a job type's name"),
        ("a.job.b", {}, "has the label 'job'"),
        ("", {}, "is not a job type's name"),
        (with_model, {}, "is not a job type's name"),  # @job without its brackets
        ("mail", {"priority": 0}, "priority is 1 to 10, or low, medium, high"),
        ("mail", {"priority": 11}, "priority is 1 to 10"),
        ("mail", {"priority": 5.5}, "priority is 1 to 10"),
        ("mail", {"priority": True}, "priority is 1 to 10"),
        ("mail", {"priority": "urgent"}, "priority is 1 to 10"),
        ("mail", {"priority": None}, "priority is 1 to 10"),
        ("mail", {"max_retries": -1}, "max_retries is a whole number from 0 to 1000, got -1"),
        ("mail", {"max_retries": 2.5}, "max_retries is a whole number from 0 to 1000, got 2.5"),
        ("mail", {"max_retries": 1_001}, "max_retries is a whole number"),
        ("mail", {"timeout": 0}, "timeout is in seconds, above 0 and up to 604800"),
        ("mail", {"timeout": float("inf")}, "timeout is in seconds"),
        ("mail", {"timeout": float("nan")}, "timeout is in seconds"),
        ("mail", {"isolation": "thread"}, "isolation is \"process\", or left out, got 'thread'"),
        ("mail", {"memory_mb": 512}, 'memory_mb holds for a child process; it needs isolation="process"'),
        ("mail", {"isolation": "process", "memory_mb": 64}, "memory_mb is a whole number from 256, got 64"),
        ("mail", {"isolation": "process", "memory_mb": True}, "memory_mb is a whole number from 256, got True"),
        ("mail", {"retry_base_seconds": 0}, "retry_base_seconds is in seconds, above 0, got 0"),
        ("mail", {"retry_max_seconds": -1}, "retry_max_seconds is in seconds, above 0, got -1"),
        ("mail", {"retry_max_seconds": float("nan")}, "retry_max_seconds is in seconds"),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)[:40]),
)
def test_a_bad_declaration_is_refused_with_a_sentence(name: Any, wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises((ValueError, Refused)) as refused:
        job(name, **wrong)

    assert sentence in str(refused.value)


def two(payload: Mail, other: int) -> None: ...


def starred(*payloads: Mail) -> None: ...


def keywords(**fields: int) -> None: ...


def keyword_only(*, payload: Mail) -> None: ...


def number(payload: int) -> None: ...


def listed(payload: list[Mail]) -> None: ...


def perhaps(payload: Optional[Mail]) -> None: ...  # noqa: UP045 - people write it so


def typed_dict(payload: Loose) -> None: ...


def unknown(payload: NotDefinedAnywhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (two, "two takes 2 parameters; a job takes one, its payload (a Pydantic model)"),
        (starred, "starred takes *payloads: 'Mail'; a job takes its payload as one plain parameter"),
        (keywords, "a job takes its payload as one plain parameter"),
        (keyword_only, "a job takes its payload as one plain parameter"),
        (number, "number takes a payload of type <class 'int'>; annotate it with a Pydantic model or with dict"),
        (listed, "annotate it with a Pydantic model or with dict"),
        (perhaps, "annotate it with a Pydantic model or with dict"),
        (typed_dict, "annotate it with a Pydantic model or with dict"),
        (unknown, "unknown: its annotations cannot be read: name 'NotDefinedAnywhere' is not defined"),
    ],
)
def test_a_function_that_cannot_take_a_payload_is_refused_with_a_sentence(
    function: Callable[..., Any], sentence: str
) -> None:
    """
    At its declaration, and not when the first job comes.
    """
    with pytest.raises(TypeError) as refused:
        job("under_test")(function)

    assert sentence in str(refused.value)


def test_two_types_of_one_name_are_refused(broker: JobBroker) -> None:
    job("under_test")(with_model)
    with pytest.raises(ValueError, match="under_test"):
        job("under_test")(with_dict)

    assert ["under_test"] == list(broker.actors)
