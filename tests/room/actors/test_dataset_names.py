"""A dataset's name leads into the configured folders and nowhere else, whichever door the job came by."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.catalogue.data_processing import process
from actors.configured import configured_as
from actors.ends import PermanentError
from actors.trades.tables.datasets import found
from warren import run_inline
from wire.errors import Refused
from wire.slices.datasets import Datasets


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    inside, outside = tmp_path / "datasets", tmp_path / "outside.csv"
    (inside / "2026").mkdir(parents=True)
    outside.write_text("a\n1\n")
    for name in ("shops.csv", "both.csv", "both.parquet", "2026/may.csv", ".hidden.csv", "sales_data.csv"):
        (inside / name).write_text("a\n1\n")
    (inside / "link.csv").symlink_to(outside)
    (inside / "circle.csv").symlink_to("circle.csv")
    with configured_as(Datasets(datasets=(str(inside), str(tmp_path / "not there")))):
        yield inside


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shops", None), ("shops.csv", None), ("2026/may", None), ("both.csv", None), ("sales_data", None),
        ("both", "dataset: 'both' may be any of both.csv, both.parquet; name it with its ending"),
        ("shop", "dataset: there is no dataset 'shop' (shops.csv?); known: both.csv, both.parquet, "),
        ("link", "dataset: there is no dataset 'link'"), ("link.csv", "dataset: there is no dataset 'link.csv'"),
        ("circle.csv", "dataset: there is no dataset 'circle.csv'"), ("2026", "dataset: there is no dataset '2026'"),
        ("clip", "dataset: clip.mp4 holds NUL bytes: it is no text"),
    ],
)  # fmt: skip
def test_a_name_leads_into_the_folders_and_nowhere_else(folders: Path, name: str, words: str | None) -> None:
    asked = {"aggregation_type": "sum", "columns": ["a"]}
    ran = run_inline(process, {"dataset": name, "operation": "aggregate", "parameters": asked})

    assert ({"a_sum": 1} if words is None else None) == (ran.result and ran.result["values"])
    assert str(ran.error).startswith(f"payload.{words}" if words else "None")


@pytest.mark.usefixtures("folders")
@pytest.mark.parametrize(
    "name", ["../outside.csv", "2026/../../outside.csv", "/etc/passwd", ".hidden.csv", "file:///etc/passwd", "a//b"]
)
def test_what_is_spelt_as_no_dataset_is_refused_by_the_door_and_by_the_worker(name: str) -> None:
    """
    The SQL door takes any payload.
    """
    with pytest.raises(Refused, match=r"^payload\.dataset: is not the name of a dataset"):
        run_inline(process, {"dataset": name, "operation": "group_by", "parameters": {"by": ["a"]}})
    with pytest.raises(PermanentError, match=rf"^payload\.dataset: {re.escape(repr(name))} is not the"):
        asyncio.run(found(name, field="payload.dataset"))
