"""`submit` makes the same child from the same call, refuses what no door would take, and says so in one sentence."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from actors.broker import JobBroker
from actors.context import MOST_CHILD_BYTES, MOST_CHILDREN, NOT_NOW, Context, current
from actors.declared.roster import job_types
from actors.job import job
from actors.lane.door import Door
from actors.sent import Sent
from actors.submit import submit, submit_now
from persistence.accepting.submission import Submission
from persistence.declared.job_types import Catalogue
from persistence.store.database import Database
from tests.archives import no_archive
from wire.errors import Refused
from wire.rabbitmq.amqp import Broker
from wire.settings import Limits
from wire.tracing import Trace

PARENT = UUID(int=7)


class Mail(BaseModel):
    to: str
    copies: int = 1


@pytest.fixture
async def parent(broker: JobBroker) -> Context:
    """A job in whose function we are, on a lane that knows two types; nothing is connected."""

    @job("mail", queue="letters", priority=8, max_retries=2)
    async def mail(payload: Mail) -> None: ...

    @job("anything")
    async def anything(payload: dict[str, Any]) -> None: ...

    database = Database("postgresql://nobody@127.0.0.1:1/nothing", "test", connections=1, timeout_seconds=1)
    link = Broker("amqp://nobody@127.0.0.1:1/", "test", timeout_seconds=1)
    door = Door(
        database,
        link,
        Catalogue(database, 15),
        job_types(broker.actors, Limits()),
        10_000,
        archive=no_archive(database),
    )
    return a_parent(door)


def a_parent(door: Door | None) -> Context:
    return Context(
        PARENT, "parent", "default", attempt=1, max_retries=3, priority=5, trace=Trace.begin(), door=door,
        in_function=True,
    )  # fmt: skip


def inside(parent: Context, call: Callable[[], Any]) -> Any:
    """Call as the parent's function would."""

    def run() -> Any:
        current.set(parent)
        return call()

    return contextvars.copy_context().run(run)


def only_child(parent: Context) -> Submission:
    (child,) = parent.children.values()
    return child


async def test_a_child_is_kept_until_its_parent_ends_and_has_its_types_defaults(parent: Context) -> None:
    child_id = inside(parent, lambda: submit("mail", {"to": "a"}))
    child = only_child(parent)

    assert (child_id, "letters", 8, 2) == (child.id, child.queue, child.priority, child.max_retries)
    assert parent.trace == child.trace
    assert b'"payload":{"to":"a"}' in child.body


async def test_everything_that_can_be_said_of_a_job_is_said(parent: Context) -> None:
    soon, later = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) + timedelta(hours=2)
    inside(
        parent,
        lambda: submit(
            "mail", Mail(to="a"), priority="low", run_at=soon, expires_at=later, max_retries=0, timeout_seconds=9,
            tags=("x", "y"),
        ),
    )  # fmt: skip
    child = only_child(parent)

    assert (2, soon, later, 0, 9.0) == (
        child.priority, child.starts_at, child.expires_at, child.max_retries, child.timeout_seconds,
    )  # fmt: skip
    assert ("x", "y") == child.tags


async def test_a_delay_may_be_a_duration(parent: Context) -> None:
    before = datetime.now(UTC)
    inside(parent, lambda: submit("mail", {"to": "a"}, delay=timedelta(minutes=5)))

    starts_at = only_child(parent).starts_at
    assert starts_at is not None
    assert timedelta(minutes=5) <= starts_at - before < timedelta(minutes=5, seconds=5)


async def test_an_actor_may_be_named_by_itself(parent: Context, broker: JobBroker) -> None:
    inside(parent, lambda: submit(broker.actors["mail"], {"to": "a"}))

    assert "mail" == only_child(parent).type


async def test_another_attempt_that_makes_the_same_calls_makes_the_same_children(parent: Context) -> None:
    again = a_parent(parent.door)
    first, second = (inside(one, lambda: [submit("anything", {"n": n}) for n in range(3)]) for one in (parent, again))

    assert 3 == len(set(first))
    assert first == second


async def test_a_key_names_a_child_whatever_was_submitted_before_it(parent: Context) -> None:
    again = a_parent(parent.door)
    first = inside(parent, lambda: submit("anything", key="report"))
    second = inside(again, lambda: [submit("anything"), submit("anything", key="report")][1])

    assert first == second


async def test_the_same_key_twice_is_one_child_and_another_body_is_refused(parent: Context) -> None:
    ids = inside(parent, lambda: [submit("anything", {"n": 1}, key="k") for _ in range(2)])

    assert [only_child(parent).id] * 2 == ids
    with pytest.raises(Refused, match="key: names another job of this attempt already"):
        inside(parent, lambda: submit("anything", {"n": 2}, key="k"))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: submit("mail", {}), r"payload\.to: is missing"),
        (lambda: submit("mail", {"to": 3}), r"payload\.to: 3 is not of type"),
        (lambda: submit("mial", {"to": "a"}), "'mial' is not a known job type; did you mean mail"),
        (lambda: submit("Mail", {"to": "a"}), "'Mail' is not a job type's name"),
        (lambda: submit("anything", {"n": float("nan")}), "payload: is not JSON"),
        (lambda: submit("anything", {"n": object()}), "payload: is not JSON: .*; use strings"),
        (lambda: submit("anything", {"n": "a\x00"}), r"payload: holds \\u0000"),
        (lambda: submit("anything", {"n": "\ud800"}), "payload: holds a lone surrogate"),
        (lambda: submit("anything", ["n"]), "payload: must be a JSON object, got a list"),  # type: ignore[arg-type]
        (lambda: submit("anything", {"n": "x" * 10_001}), "payload: the job has .* bytes; at most 10000"),
        (lambda: submit("anything", priority=11), "priority: 11 is not a priority"),
        (lambda: submit("anything", delay=-1), "delay: -1 is not a delay"),
        (lambda: submit("anything", run_at=datetime(2030, 1, 1)), "run_at: .* names no time zone"),
        (lambda: submit("anything", key=""), "key: '' is not a key"),
        (lambda: submit_now("mail", {"to": 3}), r"payload\.to: 3 is not of type"),
    ],
)
async def test_what_no_door_would_take_is_refused_here_and_now(
    parent: Context, call: Callable[[], object], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        inside(parent, call)

    assert {} == parent.children
    assert [] == parent.sent


async def test_a_misspelt_word_and_two_starting_times_are_errors(parent: Context) -> None:
    with pytest.raises(TypeError, match="does not know prioriti; known: batch_id, delay, "):
        inside(parent, lambda: submit("anything", prioriti=3))  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="delay or run_at, not both"):
        inside(parent, lambda: submit("anything", delay=1, run_at=datetime.now(UTC)))


async def test_an_attempt_has_so_many_children_and_no_more(parent: Context) -> None:
    inside(parent, lambda: [submit("anything") for _ in range(MOST_CHILDREN)])

    with pytest.raises(Refused, match=r"children: 5001 jobs of \d+ bytes; at most 5000 jobs .*; submit fewer"):
        inside(parent, lambda: submit("anything"))
    assert MOST_CHILDREN == len(parent.children)


async def test_an_attempt_has_so_many_bytes_of_children(parent: Context) -> None:
    parent.child_bytes = MOST_CHILD_BYTES - 1_500
    inside(parent, lambda: submit("anything", {"n": "x" * 1_000}))

    with pytest.raises(Refused, match="at most 5000 jobs and 16777216 bytes"):
        inside(parent, lambda: submit("anything", {"n": "x" * 1_000}))


async def test_once_the_attempt_has_ended_nothing_can_be_submitted(parent: Context) -> None:
    """
    A thread or a task that outlives its job would submit to nobody.
    """
    parent.in_function = False
    with pytest.raises(RuntimeError, match="the function of this attempt does not run"):
        inside(parent, lambda: submit("anything"))
    parent.close()
    with pytest.raises(RuntimeError, match="the function of this attempt does not run"):
        parent.submit(Submission)  # type: ignore[arg-type]
    assert NOT_NOW.endswith("submit it before")


async def test_threads_of_one_job_never_make_the_same_child(parent: Context) -> None:
    def many() -> None:
        current.set(parent)
        for _ in range(200):
            submit("anything")

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)

    assert 800 == len(parent.children)


async def test_a_thread_of_a_worker_that_has_no_job_is_told_how_to_get_one(broker: JobBroker) -> None:
    broker.in_worker = True
    with pytest.raises(RuntimeError, match=r"this thread has no job: .*asyncio\.to_thread"):
        submit("anything")
    with pytest.raises(RuntimeError, match=r"this thread has no job"):
        submit_now("anything")


async def test_outside_of_a_job_a_declared_types_payload_is_checked_before_anything_is_sent(broker: JobBroker) -> None:
    @job("mail")
    async def mail(payload: Mail) -> None: ...

    with pytest.raises(Refused, match=r"payload\.to: 3 is not of type"):
        submit(mail, {"to": 3})


async def test_a_handle_is_awaited_in_async_code_and_waited_for_in_sync_code() -> None:
    done: Future[UUID] = Future()
    sent = Sent(PARENT, done)
    with pytest.raises(RuntimeError, match=r"wait\(\) would hold up this loop"):
        sent.wait()
    heard_too_early = sent.heard
    waiting = asyncio.to_thread(sent.wait)
    done.set_result(PARENT)

    assert not heard_too_early
    assert [PARENT, PARENT, PARENT] == [await waiting, await sent, sent.wait()]
    assert sent.heard


async def test_a_handle_says_that_no_store_took_the_job() -> None:
    done: Future[UUID] = Future()
    done.set_exception(ConnectionError("both away"))
    sent = Sent(PARENT, done)

    with pytest.raises(ConnectionError, match="both away"):
        await sent
    with pytest.raises(ConnectionError, match="both away"):
        await asyncio.to_thread(sent.wait)
