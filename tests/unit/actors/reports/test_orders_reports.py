"""What a report of orders says follows from the rows of its dataset; what is wrong with one is told by its field."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from actors.ends import PermanentError
from actors.trades.reports import financial, orders, sales, sheet
from actors.trades.reports.orders import Orders
from actors.trades.reports.period import Period
from actors.trades.reports.report import Report, Shown
from actors.trades.tables.opened import How, opened
from actors.trades.tables.plain import Unpacker

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
MADE = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
ROWS = """\
order_date,product,region,quantity,amount,cost,customer
2025-03-31,Spade,North,1,100.00,40.00,Ada
2026-02-28,Spade,North,1,100.00,60.00,Ada
2026-03-01,Spade,North,2,200.00,120.00,Ada
2026-03-31,"=HYPERLINK(""x"")",South,1,50.10,10.10,Bob
2026-03-31 23:59:59,Spade,,1,0.40,0,Bob
2026-04-01,Spade,North,9,900.00,1.00,Ada
yesterday,Spade,North,1,1.00,1.00,Ada
2026-03-15,Spade,North,1,much,1.00,Ada
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "orders.csv"
    file.write_text(ROWS)
    return file


def read(path: Path, **named: str) -> Orders:
    table = opened(path, Unpacker(path.parent, 1_000_000), How(wanted=()), "payload.dataset")
    return orders.read(table, named, date(2025, 1, 1), date(2026, 12, 31))


def figures(report: Report) -> dict[str, Any]:
    return {figure.label: figure.value for figure in report.figures}


def test_sales_are_those_of_the_days_of_the_period(path: Path) -> None:
    said = sales.report(read(path), MARCH, MADE, "shop", "EUR")

    assert {
        "Revenue (EUR)": 250.5, "Orders": 3, "Average order (EUR)": 83.5, "Units sold": 4, "Customers": 2,
    }.items() <= {name: round(value, 2) for name, value in figures(said).items()}.items()  # fmt: skip
    assert ["+150.5 % on February 2026", "+200.0 % on February 2026"] == [one.note for one in said.figures[:2]]
    assert any("2 rows" in note for note in said.notes)


def test_parts_add_up_to_the_whole(path: Path) -> None:
    said = sales.report(read(path), MARCH, MADE, "shop", "")

    for table in said.tables:
        assert table.total is not None
        numbers = [place for place, column in enumerate(table.columns) if column.kind in ("count", "money")]
        for place in numbers:
            assert round(sum(row[place] for row in table.rows), 2) == round(table.total[place], 2)  # type: ignore[arg-type, misc]
    assert "(none)" in {row[0] for row in said.tables[1].rows}


def test_a_statement_stands_beside_the_month_and_the_year_before(path: Path) -> None:
    statement = financial.report(read(path), MARCH, MADE, "shop", "").tables[0]
    lines = {row[0]: row for row in statement.rows}

    revenue = [cell.value if isinstance(cell, Shown) else cell for cell in lines["Revenue"][1:]]
    assert [250.5, 100.0, 1.505, 100.0, 1.505] == [round(float(cell), 4) for cell in revenue]  # type: ignore[arg-type]
    assert ["March 2026", "February 2026", "March 2025"] == [statement.columns[place].name for place in (1, 2, 4)]


def test_a_dataset_without_costs_says_nothing_of_profit(tmp_path: Path) -> None:
    file = tmp_path / "plain.ndjson"
    file.write_text('{"when":"2026-03-05","paid":10}\n{"when":"2026-03-06","paid":5.5}\n')
    found = read(file, day="when", amount="paid")
    said = financial.report(found, MARCH, MADE, "shop", "")

    assert {"Revenue": 15.5, "Orders": 2} == figures(said)
    assert not [row for row in said.tables[0].rows if "rofit" in str(row[0])]
    assert "no cost" in said.notes[-1]


def test_the_csv_is_to_the_cent_and_holds_no_formula(path: Path) -> None:
    written = sheet.written(sales.report(read(path), MARCH, MADE, "shop", "").detail).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(written)))

    assert ["200.0", "50.1", "0.4"] == [row["amount"] for row in rows]
    assert '\'=HYPERLINK("x")' == rows[1]["product"]


@pytest.mark.parametrize(
    ("content", "name", "named", "says"),
    [
        (
            ROWS,
            "orders.csv",
            {"day": "order_dat"},
            "payload.columns.day: there is no column 'order_dat'; 'order_date'?",
        ),
        ("a,b\n1,2\n", "orders.csv", {}, "payload.columns.day: say which column it is; the dataset has a, b"),
        ("", "orders.csv", {}, "payload.dataset: orders.csv is empty"),
        ("PAR1", "orders.parquet", {}, "payload.dataset: orders.parquet"),
        ("{", "orders.json", {}, "payload.dataset: orders.json"),
        (ROWS + "1,2,3,4,5,6,7,8,9,10,11\n", "orders.csv", {}, "payload.dataset: orders.csv: line 10"),
    ],
)
def test_a_dataset_that_is_none_is_told_by_its_field(
    tmp_path: Path, content: str, name: str, named: dict[str, str], says: str
) -> None:
    file = tmp_path / name
    file.write_text(content)

    with pytest.raises(PermanentError) as error:
        read(file, **named)

    assert str(error.value).startswith(says)
