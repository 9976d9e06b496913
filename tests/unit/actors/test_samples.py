"""What is shipped to try the job types with is there, and says the same whenever it is asked."""

from __future__ import annotations

import csv
import tomllib
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from actors.trades import samples
from actors.trades.samples.sales import COLUMNS, FIRST_DAY, write_sales
from wire.errors import Refused

ROOT = Path(__file__).parents[3]
FOLDER = Path(samples.__file__).parent


def orders(folder: Path, until: date) -> list[dict[str, str]]:
    path = folder / f"{until}.csv"
    write_sales(path, until)
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_clip_is_in_the_wheel() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    shipped = {path for pattern in patterns["actors.trades.samples"] for path in FOLDER.glob(pattern)}

    assert shipped == {path for path in FOLDER.iterdir() if path.suffix not in ("", ".py")}
    assert samples.sample("clip") in shipped


def test_sales_are_made_where_they_are_wanted(tmp_path: Path) -> None:
    path = samples.sample("sales_data", tmp_path)

    assert tmp_path == path.parent
    assert ",".join(COLUMNS) == path.read_text().partition("\n")[0]


def test_a_day_that_is_over_never_changes(tmp_path: Path) -> None:
    """So the first five thousand records are the same in every year."""
    earlier, later = orders(tmp_path, date(2026, 3, 1)), orders(tmp_path, date(2026, 6, 30))

    assert later[: len(earlier)] == earlier
    assert len(earlier) > 5_000
    assert Decimal("401303.96") == sum(Decimal(order["amount"]) for order in later[:5_000])


def test_every_day_has_orders_up_to_the_last(tmp_path: Path) -> None:
    """Whatever month is reported on has something to tell."""
    until = date(2026, 2, 28)
    days = {order["order_date"] for order in orders(tmp_path, until)}

    assert days == {(FIRST_DAY + timedelta(days=n)).isoformat() for n in range((until - FIRST_DAY).days + 1)}


def test_an_amount_is_quantity_times_price(tmp_path: Path) -> None:
    found = orders(tmp_path, date(2024, 12, 31))

    assert all(Decimal(one["amount"]) == int(one["quantity"]) * Decimal(one["unit_price"]) for one in found)
    assert all(Decimal(one["cost"]) < Decimal(one["amount"]) for one in found)


def test_an_unknown_sample_is_told_with_those_that_are_known() -> None:
    with pytest.raises(Refused, match="no sample named 'clap'; known: clip, sales_data"):
        samples.sample("clap")
