"""What the shop's jobs do, for a worker with `WARREN_ACTORS=deploy.demo.shop_jobs`.

Between them they end in every way there is: at once, after retries, too often failed, for good, too late, snoozed, with
children, with progress.  Chance decides, so that curves look like curves.
"""

from __future__ import annotations

import asyncio
import random
import time

from pydantic import BaseModel

from warren import PermanentError, RetryAfter, Snooze, cancelled, job, progress, submit

DICE = random.Random()  # noqa: S311 - dice, not a secret


class Order(BaseModel):
    number: int
    items: int


class Charge(BaseModel):
    order: int
    cents: int


class Transfer(BaseModel):
    order: int
    cents: int


class Mail(BaseModel):
    to: str
    subject: str


class Parcel(BaseModel):
    order: int


class Picture(BaseModel):
    width: int


class Report(BaseModel):
    pages: int


class Stock(BaseModel):
    item: str
    change: int


@job("demo.order", queue="demo-orders", priority=7, timeout=10)
async def order(payload: Order) -> dict[str, int]:
    """Take an order apart into a charge, a mail and its parcels, which are sent when the order stands."""
    await asyncio.sleep(DICE.uniform(0.01, 0.05))
    submit(charge, Charge(order=payload.number, cents=100 * payload.items), priority="high", tags=["demo"])
    submit(mail, Mail(to=f"customer-{payload.number % 97}@example.com", subject="Thank you"), tags=["demo"])
    submit(parcel, Parcel(order=payload.number), delay=DICE.uniform(2, 15), tags=["demo"])
    return {"items": payload.items}


@job("demo.charge", queue="demo-orders", max_retries=5, timeout=5, retry_base_seconds=0.5, retry_max_seconds=8)
async def charge(payload: Charge) -> dict[str, int]:
    """Ask a bank: it is sometimes away, and sometimes says no for good."""
    await asyncio.sleep(DICE.uniform(0.04, 0.15))
    if DICE.random() < 0.08:
        raise ConnectionError("the bank answers HTTP 503")
    if DICE.random() < 0.01:
        raise PermanentError("the card is declined")
    return {"charged": payload.cents}


@job("demo.transfer", queue="demo-orders", priority=6, timeout=5)
async def transfer(payload: Transfer) -> str:
    """Note that money has come, as the bank's service says."""
    await asyncio.sleep(DICE.uniform(0.005, 0.02))
    return f"order {payload.order}: {payload.cents / 100:.2f}"


@job("demo.mail", queue="demo-mail", max_retries=2, timeout=1, retry_base_seconds=1)
async def mail(payload: Mail) -> str:
    """Send a mail through a server that wants to be asked later, or forgets to answer."""
    if DICE.random() < 0.1:
        raise RetryAfter(DICE.uniform(1, 4), "the mail server says 421: too many connections")
    await asyncio.sleep(30 if DICE.random() < 0.01 else DICE.uniform(0.02, 0.06))
    return f"sent to {payload.to}"


@job("demo.parcel", queue="demo-orders", priority=3, timeout=10)
async def parcel(payload: Parcel) -> str:
    """Hand a parcel over; it goes back on the shelf as long as the courier is not there."""
    if DICE.random() < 0.25:
        raise Snooze(3, "the courier is not there yet")
    await asyncio.sleep(DICE.uniform(0.01, 0.03))
    return f"order {payload.order} is on its way"


@job("demo.thumbnail", queue="demo-images", priority=4, max_retries=1, timeout=10, retry_base_seconds=1)
def thumbnail(payload: Picture) -> int:
    """Compute, on a thread, as sync code does; one picture in fifty cannot be read, however often it is tried."""
    if payload.width % 50 == 0:
        raise ValueError(f"no picture is {payload.width} pixels wide")
    return sum(number * number for number in range(payload.width * 100))


@job("demo.report", queue="demo-reports", priority=2, timeout=60)
async def report(payload: Report) -> dict[str, float]:
    """Write a long report page by page, and say how far it is."""
    began = time.monotonic()
    for page in range(payload.pages):
        if cancelled():
            break
        progress(page / payload.pages, f"page {page + 1} of {payload.pages}")
        await asyncio.sleep(0.5)
    return {"seconds": round(time.monotonic() - began, 1)}


@job("demo.stock", queue="demo-orders", priority=6, timeout=5)
async def stock(payload: Stock) -> str:
    """Note what came and went."""
    await asyncio.sleep(0.005)
    return f"{payload.item} {payload.change:+d}"
