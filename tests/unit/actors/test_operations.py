"""`custom` calls what is registered: its schema names the operations, and the sample of them moves each row once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from actors.attempts.craft import coroutine_function
from actors.catalogue.custom import NotKnownHere, custom
from actors.configured import configured_as
from actors.trades.operations import data_migration, registry
from actors.trades.operations.legacy import ROWS, converted
from warren import context, operation, run_inline
from wire.errors import Refused
from wire.slices.operations import Operations

PRINTED = {
    "operation": "data_migration",
    "parameters": {"source": "legacy_db", "destination": "new_db", "batch_size": 1000},
}


class Part(BaseModel):
    number: int = Field(ge=1)


class Window(BaseModel):
    hours: int = Field(ge=1, le=48)
    parts: list[Part] = []


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with configured_as(Operations(migration_folder=str(tmp_path / "databases"))):
        yield tmp_path / "databases"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What a test registers goes with it."""
    before = dict(registry._known)
    yield
    registry._known.clear()
    registry._known.update(before)


def rows(folder: Path, name: str = "new_db") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / f"{name}.sqlite")) as database:
        return database.execute("SELECT * FROM customers ORDER BY id").fetchall()


def migration(**changed: object) -> dict[str, object]:
    return {"operation": "data_migration", "parameters": {**PRINTED["parameters"], **changed}}  # type: ignore[dict-item]


def test_the_printed_migration_moves_every_row(folder: Path) -> None:
    ran = run_inline(custom, PRINTED)

    assert ("completed", ROWS, 10) == (ran.ended, ran.result["result"]["rows"], ran.result["result"]["batches"])
    assert (1, "Ben", "Briar", "1996-02-02", 7919) == rows(folder)[0]
    assert list(range(1, ROWS + 1)) == [row[0] for row in rows(folder)]
    assert (0.1, "1000 of 10000 rows") == ran.progress[0]


def test_what_has_moved_does_not_move_again(folder: Path) -> None:
    run_inline(custom, PRINTED)
    ran = run_inline(custom, PRINTED)

    assert ("completed", 0, ROWS) == (ran.ended, ran.result["result"]["rows"], ran.result["result"]["rows_before"])
    assert ROWS == len(rows(folder))


def test_a_migration_that_is_stopped_goes_on_where_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter([False, False, True])
    monkeypatch.setattr(data_migration, "cancelled", lambda: next(asked, False))
    stopped = run_inline(custom, PRINTED)
    there = len(rows(folder))
    ran = run_inline(custom, PRINTED, attempt=2)

    assert ("retry", 3_000) == (stopped.ended, there)
    assert ("completed", ROWS - 3_000, 3_000) == (
        ran.ended,
        ran.result["result"]["rows"],
        ran.result["result"]["rows_before"],
    )


def test_a_batch_that_fails_half_way_has_not_happened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its rows nor the word of how far it is."""

    def fails_at_1500(number: int, name: str, joined: str, balance: str) -> tuple[int, str, str, str, int]:
        if number == 1_500:
            raise RuntimeError("no")
        return converted(number, name, joined, balance)

    monkeypatch.setattr(data_migration, "converted", fails_at_1500)
    failed = run_inline(custom, PRINTED)
    monkeypatch.undo()
    there = len(rows(folder))
    ran = run_inline(custom, PRINTED)

    assert ("retry", 1_000) == (failed.ended, there)
    assert ("completed", ROWS - 1_000) == (ran.ended, ran.result["result"]["rows"])


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "payload.operation: is missing"),
        ({"operation": "rebuild"}, "payload.operation: 'rebuild' is not one of data_migration"),
        ({"operation": "data_migration"}, "payload.parameters: is missing"),
        (migration(source="../etc"), 'payload.parameters.source: "../etc" does not match'),
        (migration(batch_size=0), "payload.parameters.batch_size: 0 is less than the minimum of 1"),
        (migration(bathc_size=5), "payload.parameters.bathc_size: is not a field that is known there"),
        (
            {**PRINTED, "parameter": {}},
            "payload.parameter: is not a field that is known there; did you mean parameters?",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_the_schema(payload: dict[str, object], said: str) -> None:
    with pytest.raises(Refused) as refused:
        run_inline(custom, payload)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (migration(source="attic"), "payload.parameters.source: there is no database 'attic'; known: legacy_db, other"),
        (migration(destination="legacy_db"), "payload.parameters.destination: it is the source"),
        (migration(source="other"), "payload.parameters.source: 'other' has no old customers: file is not a database"),
    ],
)
def test_what_cannot_be_moved_fails_for_good(folder: Path, payload: dict[str, object], said: str) -> None:
    folder.mkdir()
    (folder / "other.sqlite").write_text("these are not the rows you are looking for")
    ran = run_inline(custom, payload)

    assert ("failed", "permanent", said) == (ran.ended, ran.reason, str(ran.error))


def test_a_folder_that_others_may_write_into_is_not_used(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    ran = run_inline(custom, PRINTED)

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith(f"{folder} is not a folder that this user alone may write into")


def test_an_operation_of_ones_own_is_called_and_judged() -> None:
    @operation("rebuild_index")
    async def rebuild(window: Window) -> dict[str, object]:
        return {"hours": window.hours, "parts": [part.number for part in window.parts], "attempt": context().attempt}

    ran = run_inline(custom, {"operation": "rebuild_index", "parameters": {"hours": 6, "parts": [{"number": 2}]}})

    assert ("completed", {"hours": 6, "parts": [2], "attempt": 1}) == (ran.ended, ran.result["result"])
    with pytest.raises(Refused, match=r"payload\.parameters\.parts\.0\.number: 0 is less than the minimum of 1"):
        run_inline(custom, {"operation": "rebuild_index", "parameters": {"hours": 6, "parts": [{"number": 0}]}})
    with pytest.raises(Refused, match="'nope' is not one of data_migration, rebuild_index"):
        run_inline(custom, {"operation": "nope"})


def test_an_operation_takes_any_object_or_nothing() -> None:
    @operation("anything")
    def anything(said: dict[str, object]) -> object:
        return said

    @operation("nothing")
    def nothing() -> str:
        return "done"

    assert {"operation": "anything", "result": {"a": 1}} == run_inline(
        custom, {"operation": "anything", "parameters": {"a": 1}}
    ).result
    assert "done" == run_inline(custom, {"operation": "nothing"}).result["result"]
    with pytest.raises(Refused, match=r"payload\.parameters: .*"):
        run_inline(custom, {"operation": "nothing", "parameters": {"a": 1}})


def test_a_name_belongs_to_one_function() -> None:
    @operation("mine")
    def mine() -> None: ...

    with pytest.raises(ValueError, match="is registered under this name already"):

        @operation("mine")
        def theirs() -> None: ...

    with pytest.raises(ValueError, match="1 to 64 letters"):
        operation("no spaces")


async def test_an_operation_that_this_worker_does_not_know_is_tried_again() -> None:
    """Another worker, of a newer version, has registered the schema."""
    awaited = coroutine_function(custom)
    assert awaited is not None
    with pytest.raises(NotKnownHere, match="there is no operation 'tomorrow'; known: data_migration; does this worker"):
        await awaited(operation="tomorrow")
