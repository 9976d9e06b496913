"""`run_inline` ends an attempt as a worker would, and shows all that the job said and sent."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import dramatiq
import pytest
from pydantic import BaseModel

from actors.sender import declares
from warren import (
    PermanentError,
    RetryAfter,
    Snooze,
    cancelled,
    context,
    inline,
    job,
    progress,
    run_inline,
    submit,
    submit_now,
    trace_environment,
)
from wire.errors import Refused


class Order(BaseModel):
    number: int
    items: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_names() -> Any:
    """What one test declares, another may declare again."""
    before = dict(declares().actors)
    yield
    declares().actors.clear()
    declares().actors.update(before)


def raising(error: BaseException, **options: Any) -> dramatiq.Actor[Any, Any]:
    @job("raises", **options)
    def raises(payload: Order) -> None:
        raise error

    return raises


def test_a_program_that_a_job_starts_is_of_its_trace() -> None:
    """
    As it arrives there, beside what the process has in its own environment.
    """

    @job("starts_a_program")
    def starts() -> list[str]:
        told = subprocess.run(["/usr/bin/env"], env=trace_environment(), capture_output=True, text=True, check=True)
        return [told.stdout.strip(), context().trace.parent]

    arrived, parent = run_inline(starts).result

    assert f"TRACEPARENT={parent}" == arrived


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_result_comes_back_as_it_is_read_from_the_api(colour: str) -> None:
    def plain(payload: Order) -> dict[str, object]:
        return {"number": payload.number, "items": {*payload.items}, "attempt": context().attempt}

    async def waiting(payload: Order) -> dict[str, object]:
        await asyncio.sleep(0)
        return plain(payload)

    ran = run_inline(job("order")(plain if colour == "sync" else waiting), Order(number=7, items=["a"]), attempt=2)

    assert ("completed", {"number": 7, "items": ["a"], "attempt": 2}) == (ran.ended, ran.result)
    assert (None, None, None) == (ran.error, ran.reason, ran.after)


@pytest.mark.parametrize(
    ("error", "attempt", "ended", "reason", "after"),
    [
        (ValueError("no"), 1, "retry", None, 2),
        (ValueError("no"), 3, "retry", None, 8),
        (ValueError("no"), 4, "failed", "exhausted", None),
        (PermanentError("no"), 1, "failed", "permanent", None),
        (RetryAfter(30), 1, "retry", None, 30),
        (Snooze(60), 4, "snoozed", None, 60),
    ],
)
def test_an_end_is_judged_as_a_worker_judges_it(
    error: Exception, attempt: int, ended: str, reason: str | None, after: float | None
) -> None:
    ran = run_inline(raising(error, max_retries=3), Order(number=1), attempt=attempt)

    assert (ended, reason, error) == (ran.ended, ran.reason, ran.error)
    assert after == (ran.after and ran.after.total_seconds())


def test_what_cannot_be_stored_is_no_result() -> None:
    @job("returns")
    def returns() -> float:
        return float("nan")

    ran = run_inline(returns)

    assert ("failed", "unstorable_result") == (ran.ended, ran.reason)


def test_it_shows_what_the_job_submitted_and_said() -> None:
    pack = job("pack")(lambda payload: None)

    @job("order")
    async def order(payload: Order) -> None:
        progress(0.1, "begun")
        await submit_now("echo", {"message": "begun"}, key="begun")
        for item in payload.items:
            submit(pack, {"item": item}, tags=["parcel"])
        progress(0.9)

    ran = run_inline(order, Order(number=1, items=["pen", "ink"]))

    assert [("pack", {"item": "pen"}, ("parcel",)), ("pack", {"item": "ink"}, ("parcel",))] == [
        (child.type, child.payload, child.tags) for child in ran.submitted
    ]
    assert [("echo", {"message": "begun"})] == [(child.type, child.payload) for child in ran.sent_now]
    assert ((0.1, "begun"), (0.9, None)) == ran.progress


def test_a_job_that_fails_has_no_children_but_what_it_sent_at_once() -> None:
    @job("order")
    def order() -> None:
        submit("echo", {})
        submit_now("echo", {"message": "at once"}).wait()
        raise PermanentError("no")

    ran = run_inline(order)

    assert ((), [{"message": "at once"}]) == (ran.submitted, [child.payload for child in ran.sent_now])


def test_a_child_whose_payload_does_not_fit_is_refused_as_in_a_worker() -> None:
    @job("order")
    def order(payload: Order) -> None: ...

    @job("parent")
    def parent() -> None:
        submit("order", {"number": "seven"})

    ran = run_inline(parent)

    assert ("retry", "payload.number") == (ran.ended, ran.error.field if isinstance(ran.error, Refused) else None)


def test_a_payload_that_does_not_fit_is_refused_as_at_every_door() -> None:
    @job("order")
    def order(payload: Order) -> None: ...

    with pytest.raises(Refused, match=r"payload\.number: is missing"):
        run_inline(order, {})


def asked() -> dramatiq.Actor[Any, Any]:
    @job("sync")
    def sync() -> None:
        if cancelled():
            raise InterruptedError("asked to stop")

    return sync


def interrupted() -> dramatiq.Actor[Any, Any]:
    @job("async")
    async def run() -> None:
        progress(note="before")
        await asyncio.sleep(60)

    return run


@pytest.mark.parametrize("make", [asked, interrupted])
def test_a_job_that_is_cancelled_is_asked_or_interrupted(make: Callable[[], dramatiq.Actor[Any, Any]]) -> None:
    started = time.monotonic()
    ran = run_inline(make(), cancelled=True)

    assert "cancelled" == ran.ended
    assert timedelta(seconds=time.monotonic() - started) < timedelta(seconds=10)


async def test_where_a_loop_runs_it_is_awaited() -> None:
    job_of_this_loop = interrupted()
    ran = await inline(job_of_this_loop, cancelled=True)
    also = await inline(asked())

    assert ("cancelled", ((None, "before"),), "completed") == (ran.ended, ran.progress, also.ended)
    with pytest.raises(RuntimeError, match="await inline"):
        run_inline(job_of_this_loop)


def test_the_page_for_those_who_come_from_celery_shows_a_job_that_does_what_it_says() -> None:
    page = (Path(__file__).parents[2] / "docs/from-celery.md").read_text()
    ours = page.split("With Warren:")[1].split("```python")[1].split("```")[0]
    sent: list[tuple[str, str]] = []

    def smtp(to: str, text: str) -> None:
        if to == "busy":
            raise BlockingIOError("not now")
        sent.append((to, text))

    names = {"BaseModel": BaseModel, "job": job, "RetryAfter": RetryAfter, "smtp": smtp, "Busy": BlockingIOError}
    exec(ours.split("with SyncClient()")[0], names)
    done = run_inline(names["send_mail"], {"to": "ada", "text": "Hello!"})
    busy = run_inline(names["send_mail"], {"to": "busy", "text": "Hello!"})

    assert ("completed", [("ada", "Hello!")]) == (done.ended, sent)
    assert ("retry", timedelta(seconds=30)) == (busy.ended, busy.after)


def test_only_a_job_is_run() -> None:
    with pytest.raises(TypeError, match="runs what @job made, got <function"):
        run_inline(raising)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"page", [b"pa", b"ge"]], ids=["bytes", "pieces"])
def test_what_a_job_saves_is_kept_in_memory(content: Any) -> None:
    @job("saves")
    def saves(payload: Order) -> dict[str, object]:
        context().save_artifact("unheard.txt", b"x")
        saved = context().save_artifact("page.html", content).wait()
        return {"size": saved.size_bytes, "type": saved.content_type, "attempt": saved.attempt}

    @job("saves_async")
    async def saves_async(payload: Order) -> dict[str, object]:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"page"

        context().save_artifact("unheard.txt", b"x")
        saved = await context().save_artifact("page.html", pieces())
        return {"size": saved.size_bytes, "type": saved.content_type, "attempt": saved.attempt}

    for one in (saves, saves_async):
        ran = run_inline(one, Order(number=1), attempt=2)

        assert {"page.html": b"page", "unheard.txt": b"x"} == ran.artifacts
        assert {"size": 4, "type": "text/html", "attempt": 2} == ran.result


@pytest.mark.parametrize(("name", "content"), [("", b"x"), ("a\nb", b"x"), ("a", "text"), ("a", 7)])
def test_what_cannot_be_saved_fails_for_good_and_says_why(name: str, content: Any) -> None:
    @job("saves")
    def saves(payload: Order) -> None:
        context().save_artifact(name, content).wait()

    ran = run_inline(saves, Order(number=1))

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith(("name: ", "content: "))


def test_nothing_is_saved_after_the_function_has_ended() -> None:
    kept: list[Any] = []

    @job("saves")
    def saves(payload: Order) -> None:
        kept.append(context())

    run_inline(saves, Order(number=1))
    with pytest.raises(RuntimeError, match="save artifacts before it returns"):
        kept[0].save_artifact("a", b"x")


def test_a_job_reads_artifacts_that_the_test_gives_and_has_a_folder_for_its_files(tmp_path: Path) -> None:
    """
    What it reads is a copy in that folder, with the name that it was saved under; all of it is gone with the attempt.
    """
    given, known = tmp_path / "numbers.csv", UUID(int=5)
    given.write_text("a\n1\n")
    folders = list[Path]()

    @job("reads_and_saves")
    async def reads() -> dict[str, str]:
        folders.append(context().scratch())
        file = await context().read_artifact(str(known))
        with file.open("a") as more:
            more.write("2\n")
        await context().save_artifact("more.csv", file)
        return {"name": file.name, "inside": str(file.relative_to(context().scratch()))}

    ran = run_inline(reads, artifacts={known: given})

    assert {"name": "numbers.csv", "inside": f"{known}/numbers.csv"} == ran.result
    assert {"more.csv": b"a\n1\n2\n"} == ran.artifacts
    assert ("a\n1\n", [False]) == (given.read_text(), [folder.exists() for folder in folders])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (UUID(int=6), f"film: there is no artifact {UUID(int=6)}; it may have been"),
        ("7", "film: '7' is not the id of an artifact"),
        (UUID(int=5), "film: has 4 bytes; at most 3 are taken"),
    ],
)
def test_an_artifact_that_cannot_be_read_fails_the_job_for_good(tmp_path: Path, asked: UUID | str, said: str) -> None:
    given = tmp_path / "numbers.csv"
    given.write_text("a\n1\n")

    @job("reads")
    def reads() -> str:
        return str(context().read_artifact(asked, field="film", most_bytes=3).wait())

    ran = run_inline(reads, artifacts={UUID(int=5): given})

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith(said)
