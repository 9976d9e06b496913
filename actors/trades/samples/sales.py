"""`sales_data`: the orders of a shop that is as old as FIRST_DAY, up to today.

Each day's orders come from the day alone, so a day that is over never changes: whoever reads the first five thousand
records gets the same ones in every year, last month is always there to be reported on, and two machines agree.  It
grows by some four thousand orders a year.

Nobody's figures: the names are made up.  An amount is quantity times unit price, to the cent.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from math import cos, pi
from pathlib import Path
from random import Random
from typing import Final, TypeVar

Kind = TypeVar("Kind")
FIRST_DAY: Final = date(2024, 1, 1)
COLUMNS: Final = ("order_date", "region", "product", "quantity", "unit_price", "amount", "cost", "customer")
REGIONS: Final = (("North", 30), ("South", 24), ("East", 18), ("West", 28))  # with their share
PRODUCTS: Final = (  # name, price and cost in cents; share
    (("Garden spade", 2_490, 1_120), 20),
    (("Watering can", 1_290, 480), 28),
    (("Carrot seeds", 349, 90), 40),
    (("Wheelbarrow", 8_900, 5_150), 8),
    (("Greenhouse", 54_900, 37_800), 2),
    (("Rain barrel", 6_450, 3_300), 9),
)
CUSTOMERS: Final = (
    "Acorn Farm", "Bramble & Sons", "Clover House", "Dell Nursery", "Elm Street School", "Fernhill Park", "Gorse Inn",
    "Hazel Gardens", "Ivy Cottage", "Juniper Hall", "Kestrel Estate", "Larch Allotments",
)  # fmt: skip
A_DAY: Final = 10.0  # orders, before season, weekday and growth


def write_sales(path: Path, until: date) -> None:
    """All orders up to this day, itself included, as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(COLUMNS)
        lines.writerows(_orders(until))


def _orders(until: date) -> Iterator[tuple[str, ...]]:
    for number in range((until - FIRST_DAY).days + 1):
        yield from _of(FIRST_DAY + timedelta(days=number))


def _of(day: date) -> Iterator[tuple[str, ...]]:
    dice = Random(f"sales of {day.isoformat()}")  # noqa: S311 - made-up orders, not a secret
    for _ in range(round(_expected(day) * (0.6 + 0.8 * dice.random()))):
        region, product = _drawn(dice, REGIONS), _drawn(dice, PRODUCTS)
        name, price, cost = product
        quantity = 1 + int(6 * dice.random() ** 2)
        customer = CUSTOMERS[int(len(CUSTOMERS) * dice.random() ** 1.4)]
        yield (
            day.isoformat(), region, name, str(quantity), _in_full(price), _in_full(quantity * price),
            _in_full(quantity * cost), customer,
        )  # fmt: skip


def _expected(day: date) -> float:
    """How many orders: more in summer than in winter, fewer on Sundays, and some growth for the first years."""
    season = 1.0 - 0.35 * cos(2 * pi * (day.timetuple().tm_yday - 40) / 365)
    years = min((day - FIRST_DAY).days / 365, 6.0)
    return A_DAY * season * (0.4 if day.weekday() == 6 else 1.1) * (1 + 0.08 * years)


def _drawn(dice: Random, shares: tuple[tuple[Kind, int], ...]) -> Kind:
    """By dice.random() alone: what Python makes of it in its other methods may change."""
    left = dice.random() * sum(share for _, share in shares)
    for kind, share in shares:
        left -= share
        if left < 0:
            return kind
    return shares[-1][0]


def _in_full(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
