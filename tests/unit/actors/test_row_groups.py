"""What a Parquet file's footer says of its row groups is read by our own few lines, as the engine has written it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from actors.ends import PermanentError
from actors.trades.tables.row_groups import check

RECORDS = 100_000
COLUMNS: dict[str, Any] = {  # as each is written, and how many bytes a record has of it
    "number": (pl.repeat(7, RECORDS, dtype=pl.Int64, eager=True), 8),
    "small": (pl.repeat(7, RECORDS, dtype=pl.Int32, eager=True), 4),
    "share": (pl.repeat(0.5, RECORDS, dtype=pl.Float64, eager=True), 8),
    "yes": (pl.repeat(True, RECORDS, eager=True), 1),
    "day": (pl.repeat("2026-01-01", RECORDS, eager=True).str.to_date(), 4),
    "text": (pl.repeat("seven", RECORDS, eager=True), 16),
    "many": (pl.repeat([1, 2, 3], RECORDS, eager=True), 24),
    "record": (pl.repeat(1, RECORDS, dtype=pl.Int64, eager=True).to_frame("within").to_struct(), 8),
}


def least_taken(path: Path, *columns: str, first: int | None = None) -> int:
    """The size of its largest row group, by what is refused."""
    low, high = 0, 1 << 40
    while low < high:
        middle = (low + high) // 2
        try:
            check(path, "it", columns, first=first, most_bytes=middle)
        except PermanentError:
            low = middle + 1
        else:
            high = middle
    return low


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("groups", [1, 20])
def test_a_row_group_is_as_large_as_what_it_unpacks_to(tmp_path: Path, name: str, groups: int) -> None:
    path, (values, width) = tmp_path / "a.parquet", COLUMNS[name]
    frame = pl.DataFrame({name: values, "other": pl.repeat(1, RECORDS, eager=True)})
    frame.write_parquet(path, row_group_size=RECORDS // groups)
    size = least_taken(path, name)

    assert size == pytest.approx(RECORDS // groups * width, rel=0.05)
    assert least_taken(path, name, "other") == pytest.approx(size + RECORDS // groups * 4, rel=0.05)
    assert 0 == least_taken(path, "nobody")


def test_no_more_records_count_than_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"number": COLUMNS["number"][0]}).write_parquet(path)

    assert 80 == least_taken(path, "number", first=10)


def test_what_is_refused_is_told_by_its_row_group(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"number": COLUMNS["number"][0]}).write_parquet(path, row_group_size=RECORDS)

    with pytest.raises(
        PermanentError, match=r"^payload\.dataset: a: its row group 1 of 100000 records unpacks to 800000 b"
    ):
        check(path, "payload.dataset: a", ["number"], first=None, most_bytes=799_999)


def test_a_footer_that_is_none_is_for_the_engine_to_judge(tmp_path: Path) -> None:
    """
    However it is cut or changed: nothing but a refusal comes of it, and soon.
    """
    path = tmp_path / "a.parquet"
    pl.DataFrame({"number": COLUMNS["number"][0], "text": COLUMNS["text"][0]}).write_parquet(path)
    whole = path.read_bytes()
    odd = [b"", b"PAR1", whole[:-1], whole[:-8] + b"\xff\xff\xff\x7fPAR1", b"PAR1" + b"\x1c" * 200 + b"\xc8\0\0\0PAR1"]
    odd += [whole[:-place] + bytes([255 - whole[-place]]) + whole[len(whole) - place + 1 :] for place in range(9, 400)]
    for content in odd:
        path.write_bytes(content)
        with contextlib.suppress(PermanentError):
            check(path, "it", ["number"], first=None, most_bytes=1 << 60)
