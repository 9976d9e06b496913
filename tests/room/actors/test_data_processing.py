"""`data_processing` answers what is asked of CSV, JSON and Parquet; what is wrong with either is told by its name."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import pytest
import zstandard

from actors.catalogue.data_processing import process
from actors.configured import configured_as
from actors.context import Context
from actors.ends import PermanentError
from actors.trades.tables.asked import Operation, Parameters
from actors.trades.tables.work import work
from actors.trades.tables.written import Meter
from warren import run_inline
from wire.slices.datasets import Datasets
from wire.tracing import Trace

GIVEN, OTHER = UUID(int=5), UUID(int=6)
ORDERS = """day,shop,amount,count,code,open
2026-01-01,North,1.50,2,007,true
2026-01-02,South,2.25,3,008,false
2026-01-03,North,,4,009,true
2026-02-01,Östlich,10.00,5,010,false
"""
RECORDS = [
    {"day": "2026-01-01", "shop": "North", "amount": 1.5, "count": 2},
    {"day": "2026-01-02", "shop": "South", "amount": 2.25, "count": 3},
    {"day": "2026-01-03", "shop": "North", "amount": None, "count": 4},
    {"day": "2026-02-01", "shop": "Östlich", "amount": 10.0, "count": 5},
]


def parquet(records: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(records).write_parquet(out)
    return out.getvalue()


FILES: dict[str, bytes] = {
    "orders.csv": ORDERS.encode(),
    "orders.tsv": ORDERS.replace(",", "\t").encode(),
    "semicolons.csv": ORDERS.replace(",", ";").encode(),
    "windows.csv": ORDERS.replace("\n", "\r\n").encode("cp1252"),
    "marked.csv": ORDERS.encode("utf-8-sig"),
    "wide.csv": ORDERS.encode("utf-16"),
    "orders.csv.gz": gzip.compress(ORDERS.encode()),
    "orders.csv.zst": zstandard.compress(ORDERS.encode()),
    "no ending": ORDERS.encode(),
    "orders.json": json.dumps(RECORDS, indent=2).encode(),
    "orders.ndjson": b"\n".join(json.dumps(record).encode() for record in RECORDS),
    "orders": json.dumps(RECORDS).encode(),
    "orders.parquet": parquet(RECORDS),
}


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Any]:
    def ask(
        content: bytes | str, operation: str = "aggregate", file_name: str = "orders.csv", **parameters: Any
    ) -> Any:
        file = tmp_path / file_name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        payload = {"dataset": str(GIVEN), "operation": operation, "parameters": parameters}
        return run_inline(process, payload, artifacts={GIVEN: file, OTHER: tmp_path / "other.csv"})

    return ask


@pytest.mark.parametrize("name", FILES)
def test_it_reads_what_the_file_is(ask: Callable[..., Any], name: str) -> None:
    ran = ask(FILES[name], "group_by", name, by="shop", aggregations={"amount": "sum", "count": ["max", "count"]})

    assert [
        {"shop": "North", "amount_sum": 1.5, "count_max": 4, "count_count": 2},
        {"shop": "South", "amount_sum": 2.25, "count_max": 3, "count_count": 1},
        {"shop": "Östlich", "amount_sum": 10.0, "count_max": 5, "count_count": 1},
    ] == (ran.result or {}).get("table"), ran.error
    assert (4, 3, None) == (ran.result["records"], ran.result["rows"], ran.result["artifact"])


@pytest.mark.parametrize(
    ("function", "values"),
    [
        ("sum", {"amount_sum": 13.75, "count_sum": 14}),
        ("avg", {"amount_mean": pytest.approx(4.583333), "count_mean": 3.5}),
        ("median", {"amount_median": 2.25, "count_median": 3.5}),
        ("count", {"day_count": 4, "shop_count": 4, "amount_count": 3, "count_count": 4, "code_count": 4,
                   "open_count": 4}),
        ("distinct", {"day_distinct": 4, "shop_distinct": 3, "amount_distinct": 3, "count_distinct": 4,
                      "code_distinct": 4, "open_distinct": 2}),
        ("max", {"day_max": "2026-02-01", "shop_max": "Östlich", "amount_max": 10.0, "count_max": 5, "code_max": "010",
                 "open_max": True}),
    ],
)  # fmt: skip
def test_an_aggregate_is_of_all_columns_that_it_makes_sense_of(
    ask: Callable[..., Any], function: str, values: dict[str, Any]
) -> None:
    """
    A code with leading zeros is no figure, and neither is a date.
    """
    ran = ask(ORDERS, aggregation_type=function)

    assert values == ran.result["values"]


def test_the_example_of_the_sources_is_answered() -> None:
    """
    Of the first 5,000 records alone, which are the same in every year.
    """
    asked = {"record_count": 5000, "aggregation_type": "sum"}
    ran = run_inline(process, {"dataset": "sales_data", "operation": "aggregate", "parameters": asked})

    assert ("completed", 5000, 12873) == (ran.ended, ran.result["records"], ran.result["values"]["quantity_sum"])
    assert (401303.96, 219404.6) == (ran.result["values"]["amount_sum"], ran.result["values"]["cost_sum"])
    assert ran.progress[-1] == (0.95, "5,000 of 5,000 records")


WHERE: list[tuple[list[dict[str, Any]], list[int]]] = [
    ([{"column": "shop", "value": "North"}], [2, 4]),
    ([{"column": "shop", "op": "!=", "value": "North"}], [3, 5]),
    ([{"column": "amount", "op": ">=", "value": 2.25}], [3, 5]),
    ([{"column": "amount", "op": "lt", "value": 2}], [2]),
    ([{"column": "amount", "op": "between", "value": [1, 3]}], [2, 3]),
    ([{"column": "amount", "op": "is_missing"}], [4]),
    ([{"column": "amount", "op": "is_present"}, {"column": "open", "value": True}], [2]),
    ([{"column": "day", "op": ">", "value": "2026-01-02"}], [4, 5]),
    ([{"column": "day", "op": "in", "value": ["2026-01-02", "2026-02-01"]}], [3, 5]),
    ([{"column": "count", "op": "not_in", "value": [2, 3]}], [4, 5]),
    ([{"column": "shop", "op": "contains", "value": "o"}], [2, 3, 4]),
    ([{"column": "shop", "op": "starts_with", "value": "Ö"}], [5]),
    ([{"column": "shop", "op": "matches", "value": "^(N|S).*th$"}], [2, 3, 4]),
    ([{"column": "code", "value": "009"}], [4]),
    ([{"any": [{"column": "count", "value": 2}, {"all": [{"column": "count", "op": ">", "value": 4}]}]}], [2, 5]),
]


@pytest.mark.parametrize(("where", "counts"), WHERE)
def test_a_filter_keeps_what_it_says_as_it_is_written(
    ask: Callable[..., Any], where: list[dict[str, Any]], counts: list[int]
) -> None:
    """
    From CSV to CSV the records are the same to the letter: 10.00 is not 10.0.
    """
    ran = ask(ORDERS, "filter", where=where)
    lines = [ORDERS.splitlines()[0], *(line for line in ORDERS.splitlines() if line.split(",")[3] in map(str, counts))]

    assert ran.artifacts, ran.error
    assert lines == ran.artifacts["orders-filter.csv"].decode().splitlines()
    assert len(counts) == ran.result["rows"]


@pytest.mark.parametrize("format", ["csv", "json", "ndjson", "parquet"])
@pytest.mark.parametrize("name", ["orders.csv", "orders.json", "orders.parquet"])
def test_it_converts_each_to_each(ask: Callable[..., Any], name: str, format: str) -> None:
    ran = ask(FILES[name], "convert", name, format=format, name="out", select=["count", "amount"], sort=["-count"])
    content = io.BytesIO(ran.artifacts["out"])
    read = {"csv": pl.read_csv, "json": pl.read_json, "ndjson": pl.read_ndjson, "parquet": pl.read_parquet}[format]

    assert [(5, 10.0), (4, None), (3, 2.25), (2, 1.5)] == read(content).rows()


JOINS: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("inner", [("North", "2", "Ada"), ("North", "4", "Ada")]),
    ("left", [("North", "2", "Ada"), ("South", "3", ""), ("North", "4", "Ada"), ("Östlich", "5", "")]),
    ("full", [("North", "2", "Ada"), ("South", "3", ""), ("North", "4", "Ada"), ("Östlich", "5", ""),
              ("West", "", "Bob")]),
    ("right", [("North", "2", "Ada"), ("North", "4", "Ada"), ("West", "", "Bob")]),
    ("semi", [("North", "2"), ("North", "4")]),
    ("anti", [("South", "3"), ("Östlich", "5")]),
]  # fmt: skip


@pytest.mark.parametrize(("how", "rows"), JOINS)
@pytest.mark.parametrize("named", ["shop", "place"])
def test_it_joins(ask: Callable[..., Any], tmp_path: Path, how: str, rows: list[tuple[Any, ...]], named: str) -> None:
    (tmp_path / "other.csv").write_text(f"{named},owner,count\nNorth,Ada,7\nWest,Bob,8\n")
    on = {"on": "shop"} if named == "shop" else {"on": "shop", "right_on": named}
    select = ["shop", "count", "owner"][: len(rows[0])]
    ran = ask(ORDERS, "join", right=str(OTHER), how=how, select=select, **on)

    assert ran.artifacts, ran.error
    assert rows == [tuple(line.split(",")) for line in ran.artifacts["orders-join.csv"].decode().splitlines()[1:]]


WRONG: dict[str, tuple[bytes | str, dict[str, Any], str]] = {
    "nothing": (b"", {}, "dataset: orders.csv is empty"),
    "blanks": (b"\n\n", {}, "dataset: orders.csv is empty"),
    "packed nothing": (gzip.compress(b""), {}, "dataset: orders.csv is empty"),
    "half of a packing": (gzip.compress(ORDERS.encode())[:60], {}, "dataset: orders.csv cannot be unpacked"),
    "a zip": (b"PK\x03\x04....", {}, "dataset: orders.csv is a zip file; give CSV, JSON or Parquet"),
    "a page": (b"<html><p>no", {}, "dataset: orders.csv is a page (HTML or XML) and no table"),
    "a cell too many": ("a,b\n1,2\n3,4,5\n", {}, "dataset: orders.csv: line 3 has 3 cells, its header 2"),
    "a quote without an end": ('a,b\n1,2\n"3,4\n5,6\n', {}, "dataset: orders.csv: line 3: unexpected end of data"),
    "no text at all": (b"a,b\n1,\x00\n", {}, "dataset: orders.csv holds NUL bytes: it is no text, and no Parquet"),
    "a line without an end": (b"a" * 4_200_000, {}, "dataset: orders.csv has no line that ends within 4194304 char"),
    "two of a name": ("a,b,a\n1,2,3\n", {}, "dataset: orders.csv has two columns of the name 'a'"),
    "many columns": (",".join(map(str, range(6000))), {}, "dataset: orders.csv has 6000 columns; at most 5000"),
    "not UTF-8 as said": (b"a\n\xff\n", {"encoding": "utf-8"}, "dataset: orders.csv is not all UTF-8"),
    "no such encoding": (b"a\n\xff\n", {"encoding": "rot13"}, "parameters.encoding: 'rot13' is not the name of an enc"),
    "no JSON": ("[1,2", {"read_as": "json"}, "dataset: orders.csv: record 1 is no object"),
    "an array that breaks off": ('[{"a":1},{"a"', {"read_as": "json"}, "dataset: orders.csv: record 2 is no JSON"),
    "an array without an end": ('[{"a":1}', {"read_as": "json"}, "dataset: orders.csv ends in the middle of its array"),
    "an empty array": (" [ ] ", {"read_as": "json"}, "dataset: orders.csv has no records"),
    "a line that is none": ('{"a":1}\n{"a"\n', {"read_as": "ndjson"}, "dataset: orders.csv: line 2 is no JSON"),
    "a list": ('{"a":1}\n[1]\n', {"read_as": "ndjson"}, "dataset: orders.csv: line 2 is a list and no object"),
    "another kind": ('{"a":1}\n{"a":true}\n', {"read_as": "ndjson"}, "dataset: orders.csv: line 2: 'a' is true or fa"),
    "deep": ('{"a":' * 5_000 + "1" + "}" * 5_000, {"read_as": "json"}, "dataset: orders.csv: line 1 is nested deeper"),
    "deep in an array": (
        "[" + '{"a":' * 99 + "1" + "}" * 99 + "]", {"read_as": "json"}, "dataset: orders.csv: record 1 is nested deep",
    ),
    "many digits": (
        '[{"a":' + "9" * 5_000 + "}]", {"read_as": "json"},
        "dataset: orders.csv: record 1 is no JSON: it has a number of too many digits",
    ),
    "no Parquet": (b"PAR1 and so on PAR1", {"read_as": "parquet"}, "dataset: orders.csv: parquet: "),
    "a text among figures": (
        "a,b\n1,x\n2,y\nNA,z\n", {"columns": "a"},
        "parameters.columns: there is no sum of 'a', which is text: record 3 has 'NA' (`missing` names texts",
    ),
    "no such column": (
        ORDERS, {"columns": "amuont"}, "parameters.columns: orders.csv has no column 'amuont' (amount?)",
    ),
    "no figures": ("a\nx\n", {}, "parameters.aggregation_type: orders.csv has no column to make a sum of: a (text)"),
    "no such column in a condition": (
        ORDERS, {"where": [{"any": [{"column": "shp"}]}]},
        "parameters.where.0.any.0.column: orders.csv has no column 'shp' (shop?); it has day, shop, amount",
    ),
    "a text for a number": (
        ORDERS, {"where": [{"column": "amount", "op": ">", "value": "9"}]},
        "parameters.where.0.value: '9' does not fit the column 'amount', which is a number",
    ),
    "no such day": (
        ORDERS, {"where": [{"column": "day", "value": "2026-02-30"}]}, "parameters.where.0.value: '2026-02-30' does",
    ),
    "letters of a number": (
        ORDERS, {"where": [{"column": "amount", "op": "contains", "value": "1"}]},
        "parameters.where.0.op: 'contains' is for texts, and 'amount' is a number",
    ),
    "no pattern": (
        ORDERS, {"where": [{"column": "shop", "op": "matches", "value": "("}]}, "parameters.where.0.value: is no reg",
    ),
    "a column and any": (
        ORDERS, {"where": [{"column": "shop", "any": [{"column": "shop"}]}]}, "parameters.where.0: has to have either",
    ),
    "an order by what is not there": (
        ORDERS, {"columns": "amount", "sort": ["amount"]},
        "parameters.sort: the outcome has no column 'amount'; it has amount_sum",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_by_its_name(ask: Callable[..., Any], what: str) -> None:
    content, parameters, words = WRONG[what]
    ran = ask(content, **{"aggregation_type": "sum", **parameters})

    assert ("failed", "permanent") == (ran.ended, ran.reason), ran.error
    assert str(ran.error).startswith(f"payload.{words}")


@pytest.mark.parametrize(
    ("operation", "lacking"), [("group_by", "by"), ("filter", "where"), ("join", "right"), ("convert", "format")]
)
async def test_what_an_operation_needs_is_asked_for_behind_every_door(operation: Operation, lacking: str) -> None:
    """
    The gateway answers 422; what came by SQL is judged here.
    """
    with pytest.raises(PermanentError, match=f"^payload.parameters.{lacking}: is missing; {operation} needs it"):
        await work("sales_data", operation, Parameters())


def test_a_join_of_everything_with_everything_is_refused_before_it_is_made() -> None:
    parameters = {"right": "sales_data", "on": "region", "record_count": 10_000}
    ran = run_inline(process, {"dataset": "sales_data", "operation": "join", "parameters": parameters})
    few = run_inline(
        process, {"dataset": "sales_data", "operation": "join", "parameters": {**parameters, "record_count": 3}}
    )

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith("payload.parameters.on: the join would have ")
    assert ("completed", 3) == (few.ended, few.result["records"])


def test_a_file_that_unpacks_to_too_much_is_refused(ask: Callable[..., Any]) -> None:
    packed = gzip.compress(b"a\n" + b"1\n" * 4_000_000)
    with configured_as(Datasets(dataset_max_bytes=100_000)):
        ran = ask(packed, file_name="bomb.csv.gz", aggregation_type="sum")

    words = "dataset: bomb.csv.gz unpacks to more than 100000 bytes; no more are taken (WARREN_DATASET_MAX_BYTES)"
    assert f"payload.{words}" == str(ran.error)


def test_sums_are_exact_and_texts_stand_for_no_value_where_it_is_said(ask: Callable[..., Any]) -> None:
    large = ask(f"a\n{2**62}\n{2**62}\n{2**62}\n", aggregation_type="sum")
    missing = ask("a\n1\nNA\n-\n2\n", aggregation_type="sum", missing=["NA", "-"])

    cents = ask("a\n" + "0.10\n" * 30_000, aggregation_type="sum")

    assert 3000.0 == cents.result["values"]["a_sum"]
    assert float(3 * 2**62) == large.result["values"]["a_sum"]
    assert {"a_sum": 3} == missing.result["values"]


def test_columns_are_what_all_of_their_values_are(ask: Callable[..., Any]) -> None:
    """
    The text of record 2,001 counts as much as the figures before it.
    """
    ran = ask("a,b\n" + "1,1\n" * 2_000 + "x,1.5\n", "convert", format="ndjson")

    assert {"a": "text", "b": "number"} == ran.result["columns"]
    assert b'{"a":"x","b":1.5}' == ran.artifacts["orders-convert.ndjson"].splitlines()[-1]


def test_a_job_that_should_stop_stops_between_two_pieces() -> None:
    job = Context(GIVEN, "data_processing", "default", 1, 0, 5, Trace.begin(), asked_to_stop=True)
    with pytest.raises(asyncio.CancelledError):
        Meter(job, 3).reading(pl.LazyFrame({"a": [1, 2, 3]})).collect(engine="streaming")


@pytest.mark.parametrize(
    ("operation", "parameters", "field"),
    [
        ("aggregate", {"aggregation_type": "sum", "columns": ["a"]}, "dataset"),
        ("convert", {"format": "csv"}, "dataset"),
        ("join", {"right": "huge.parquet", "on": ["a"]}, "parameters.right"),
    ],
)
def test_a_row_group_that_cannot_be_held_is_told_before_it_is_read(
    tmp_path: Path, operation: str, parameters: dict[str, Any], field: str
) -> None:
    pl.DataFrame({"a": [7] * 50_000, "b": [True] * 50_000}).write_parquet(
        tmp_path / "huge.parquet", row_group_size=50_000
    )
    pl.DataFrame({"a": [7, 8]}).write_parquet(tmp_path / "small.parquet")
    asked = {"dataset": "small.parquet" if field != "dataset" else "huge.parquet", "operation": operation}
    small = {**asked, "operation": "aggregate", "parameters": {"aggregation_type": "count", "columns": ["b"]}}
    with configured_as(Datasets(datasets=(str(tmp_path),), dataset_max_row_group_bytes=100_000)):
        ran = run_inline(process, {**asked, "parameters": parameters})
        fewer = run_inline(process, {**small, "dataset": "huge.parquet"})

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith(f"payload.{field}: huge.parquet: its row group 1 of 50000 records unpacks to ")
    assert {"b_count": 50_000} == fewer.result["values"]
