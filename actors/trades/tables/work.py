"""Do what a payload asks of a dataset, from the file that it names to the artifact that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from actors.configured import configured
from actors.context import context, progress
from actors.ends import PermanentError
from actors.scratch import file_name
from actors.trades.tables import operations
from actors.trades.tables.asked import Operation, Parameters, missing_of
from actors.trades.tables.datasets import found
from actors.trades.tables.faults import named
from actors.trades.tables.joining import joined
from actors.trades.tables.opened import How, opened
from actors.trades.tables.plain import Unpacker
from actors.trades.tables.table import Table, kind_of
from actors.trades.tables.written import CONTENT_TYPES, ENDS, SHOWN, Meter, collected, plain, write
from persistence.artifacts.artifact import Artifact
from wire.slices.artifacts import Artifacts
from wire.slices.datasets import Datasets

MOST_ROWS: Final = 1_000  # of a table in a result; larger ones become files
SMALL: Final = frozenset({"aggregate", "group_by"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has come of it."""

    records: int  # that were worked on
    rows: int
    columns: dict[str, str]
    first: list[dict[str, Any]]
    artifact: Artifact | None


async def work(dataset: str, operation: Operation, asked: Parameters) -> Outcome:
    """The outcome, its file saved; PermanentError names what is wrong with the payload or the file."""
    lacking = missing_of(operation, asked)
    if lacking is not None:
        raise PermanentError(f"payload.parameters.{lacking}: is missing; {operation} needs it")
    job, typed = context(), _typed(operation, asked)
    unpacker = Unpacker(job.scratch(), configured(Datasets).dataset_max_bytes)
    path = await found(dataset, field="payload.dataset")
    progress(0.05, f"reading {path.name}")
    used = _used(operation, asked)
    looked_at = None if typed and operation not in SMALL else used
    how = How(asked.read_as, asked.separator, asked.encoding, asked.missing, asked.record_count, looked_at)
    table = opened(path, unpacker, how, "payload.dataset")
    right = None
    if operation == "join":
        path = await found(asked.right or "", field="payload.parameters.right")
        right = opened(
            path, unpacker, How(wanted=None if typed else asked.right_on or asked.on), "payload.parameters.right"
        )
    if typed:
        table, right = table.typed(), right.typed() if right else None
    meter = Meter(job, table.records)
    with named(f"payload.dataset: {table.name}", partial(_fault, table, right)):
        chosen = _columns(table, operation, asked, used)
        table.check(chosen.collect_schema().names())
        if right:
            right.check(right.columns)
        read = meter.reading(chosen)
        frame = operations.restricted(table, read, asked)
        if operation in SMALL:
            return await _figures(operations.aggregated(table, frame, asked), table, operation, asked, meter)
        if right:
            frame = joined(table, frame, right, asked)
        return await _file(operations.finished(frame, asked, table.values), table, operation, asked, meter)


def _fault(table: Table, right: Table | None) -> str | None:
    found = table.fault()
    if found is None and right is not None and (other := right.fault()) is not None:
        return f"{other} of {right.name}"
    return found


def _typed(operation: Operation, asked: Parameters) -> bool:
    """Whether values become what they stand for; from CSV to CSV they are left as they are written."""
    as_written = operation in SMALL or ((asked.format or "csv") == "csv" and not (operation == "join" and asked.sort))
    return not as_written


def _used(operation: Operation, asked: Parameters) -> set[str] | None:
    """Columns that the question names; None if all are meant."""
    names, left = {*asked.by, *asked.columns, *asked.aggregations, *asked.on}, list(asked.where)
    names |= {one.removeprefix("-") for one in asked.sort} | set(asked.sort)
    while left:
        one = left.pop()
        names |= {one.column} if one.column else set()
        left += [*(one.any or ()), *(one.all or ())]
    all_meant = asked.aggregation_type and not asked.columns and not asked.aggregations
    return None if operation in SMALL and all_meant else names


def _columns(table: Table, operation: Operation, asked: Parameters, used: set[str] | None) -> pl.LazyFrame:
    """No more of the file than is asked for."""
    if used is None or operation == "join" or not (operation in SMALL or asked.select):
        return table.frame
    kept = [name for name in table.columns if name in used or name in asked.select]
    return table.frame.select(kept or table.columns[:1])


async def _figures(frame: pl.LazyFrame, table: Table, operation: Operation, asked: Parameters, meter: Meter) -> Outcome:
    """In the result, and in a file where one is asked for or they are many."""
    answer, saved = collected(operations.finished(frame, asked, {})), None
    if asked.format or answer.height > MOST_ROWS:
        out = _out(table, operation, asked, asked.format or "csv")
        write(answer.lazy(), out, asked.format or "csv")
        saved = await _saved(out, asked.format or "csv")
    shown = answer if saved is None else answer.head(SHOWN)
    return Outcome(meter.read, answer.height, _kinds(answer.lazy()), list(plain(shown, cut=saved is not None)), saved)


async def _file(frame: pl.LazyFrame, table: Table, operation: Operation, asked: Parameters, meter: Meter) -> Outcome:
    """A table, and its first records in the result."""
    format_ = asked.format or table.format
    out = _out(table, operation, asked, format_)
    write(meter.writing(frame, out, configured(Artifacts).max_artifact_bytes), out, format_)
    return Outcome(meter.read, meter.written, _kinds(frame), meter.first, await _saved(out, format_))


def _kinds(frame: pl.LazyFrame) -> dict[str, str]:
    return {name.replace("\0", "\ufffd"): str(kind_of(dtype)) for name, dtype in frame.collect_schema().items()}


def _out(table: Table, operation: Operation, asked: Parameters, format_: str) -> Path:
    """Where the file is written, and under which name it is kept."""
    folder = context().scratch() / "outcome"
    folder.mkdir(0o700)
    stem = table.name.removesuffix(".gz").removesuffix(".zst").rpartition(".")[0] or table.name
    return folder / file_name(asked.name or f"{stem}-{operation}.{format_}")


async def _saved(out: Path, format_: str) -> Artifact:
    progress(ENDS, f"saving {out.name}")
    return await context().save_artifact(out.name, out, CONTENT_TYPES[format_])
