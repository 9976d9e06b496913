"""The signals around an actor reach whoever Dramatiq would call, in its order and with its treatment of errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import dramatiq
import pytest
from dramatiq.broker import MessageProxy
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Callbacks, CurrentMessage, Middleware, Pipelines, SkipMessage

from actors.attempts.signals import Signals, may_block

MESSAGE: dict[str, Any] = {"queue_name": "default", "actor_name": "echo", "args": (), "kwargs": {}, "options": {}}


class Deaf(Middleware):
    """Heeds something else."""

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None: ...


class Telling(Middleware):
    """Tells what it hears, and may raise at it."""

    def __init__(self, name: str, told: list[str], error: Exception | None = None) -> None:
        self._name, self._told, self._error = name, told, error

    def before_process_message(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        self._tell("before")

    def after_process_message(
        self, broker: dramatiq.Broker, message: MessageProxy, *, result: object = None, exception: object = None
    ) -> None:
        self._tell(f"after {result} {exception}")

    def after_skip_message(self, broker: dramatiq.Broker, message: MessageProxy) -> None:
        self._tell("skipped")

    def _tell(self, word: str) -> None:
        self._told.append(f"{self._name} {word}")
        if self._error:
            raise self._error


def ours(broker: dramatiq.Broker, message: MessageProxy) -> None:
    signals = Signals(broker)
    try:
        signals.before(message)
    except SkipMessage:
        signals.skipped(message)
        raise
    finally:
        signals.after(message, result=1, exception=None)


def dramatiqs(broker: dramatiq.Broker, message: MessageProxy) -> None:
    try:
        broker.emit_before("process_message", message)
    except SkipMessage:
        broker.emit_after("skip_message", message)
        raise
    finally:
        broker.emit_after("process_message", message, result=1, exception=None)


def heard(send: Callable[[dramatiq.Broker, MessageProxy], None], error: Exception | None) -> tuple[list[str], str]:
    told: list[str] = []
    stack = [Deaf(), Telling("first", told), CurrentMessage(), Telling("second", told, error), Telling("third", told)]
    broker, raised = StubBroker(middleware=stack), ""
    try:
        send(broker, MessageProxy(dramatiq.Message(**MESSAGE)))
    except Exception as e:  # noqa: BLE001 - whatever it is, it is compared
        raised = repr(e)
    return told, raised


@pytest.mark.parametrize("error", [None, ValueError("its own fault"), SkipMessage("not this one")])
def test_the_same_middlewares_hear_the_same_in_the_same_order(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    expected, logged = heard(dramatiqs, error), [record.getMessage() for record in caplog.records]
    caplog.clear()
    found = heard(ours, error)

    assert (expected, len(logged)) == (found, len(caplog.records))
    assert found[0]


def test_one_that_is_added_later_is_heard_too() -> None:
    told: list[str] = []
    broker = StubBroker(middleware=[Telling("first", told)])
    signals, message = Signals(broker), MessageProxy(dramatiq.Message(**MESSAGE))
    signals.before(message)
    broker.add_middleware(Telling("second", told))
    signals.before(message)

    assert ["first before", "first before", "second before"] == told


def test_whoever_asks_first_on_two_threads_reaches_all() -> None:
    """
    The first sync jobs of a process begin at once, and none may pass a middleware by while another looks them up.
    """
    told: list[str] = []

    class Looked(Telling):
        """Another job begins at the moment at which this middleware is looked at."""

        def __getattribute__(self, name: str) -> Any:
            if name == "before_process_message" and not told:
                told.append("looked at")
                other = threading.Thread(target=signals.before, args=(message,))
                other.start()
                other.join()
            return super().__getattribute__(name)

    broker, message = StubBroker(middleware=[Looked("one", told)]), MessageProxy(dramatiq.Message(**MESSAGE))
    signals = Signals(broker)
    told.clear()
    signals.before(message)

    assert ["looked at", "one before", "one before"] == told


def test_who_follows_up_is_left_out_only_where_nothing_follows() -> None:
    told: list[str] = []

    class Follow(Callbacks):
        """A project's own, which may do more: it is not left out."""

        def after_process_message(self, *_: Any, **__: Any) -> None:
            told.append("a project's own")

    broker = StubBroker(middleware=[Callbacks(), Pipelines(), Follow(), Telling("any", told)])
    message = MessageProxy(dramatiq.Message(**MESSAGE))
    signals = Signals(broker)
    signals.before(message)
    signals.after(message, result=1, exception=None, plain=True)

    assert ["any before", "any after 1 None", "a project's own"] == told


@pytest.mark.parametrize(
    ("middleware", "blocks"),
    [(Deaf(), False), (CurrentMessage(), False), (Pipelines(), False), (Telling("", []), True)],
)
def test_what_may_block_is_what_we_do_not_know_and_heeds_something(middleware: Middleware, blocks: bool) -> None:
    assert blocks == may_block(middleware)
