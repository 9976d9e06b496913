"""What people and programs do to the shop, at which door, and how often.

Each deed is one call or two, as a user of `warren` writes them.  What comes later (somebody changes their mind) is left
to `later`, so that it holds up nobody else.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from deploy.demo.doors import Doors
from deploy.demo.office import Office
from warren import Refused, new_job

HTTP, BULK, BATCH, AMQP, SQL, CRAWL, STAFF, OFFICE = "http", "bulk", "batch", "amqp", "sql", "crawl", "staff", "office"
NEWSLETTER, ALBUM, PRICES = 25, 10, 6  # jobs at once, in bulk, as a batch and as a crawl
YESTERDAY = 20.0  # seconds: the shop's days are short
TAGS = ["demo"]

Later = Callable[[float, Coroutine[Any, Any, None]], None]


@dataclass(frozen=True, slots=True)
class Deed:
    """`jobs` is how many it submits, not counting their children; `weight` how often it is drawn."""

    door: str
    do: Callable[[Shop], Awaitable[None]]
    jobs: int
    weight: float


class Shop:
    """One run of the demo: its doors, its dice, and the number of its last order."""

    def __init__(self, doors: Doors, later: Later, seed: int | None = None) -> None:
        self._doors, self._later, self._office = doors, later, Office(doors.served, doors.suppliers)
        self._dice = random.Random(seed)  # noqa: S311 - dice, not a secret
        self._run, self._number = uuid4().hex[:8], 0

    def draw(self) -> Deed:
        """What happens next."""
        possible = [deed for deed in DEEDS if self._open(deed.door)]
        return self._dice.choices(possible, [deed.weight for deed in possible])[0]

    async def order(self) -> None:
        """Somebody orders; one in ten presses the button twice, and the key makes it one order."""
        number = self._next()
        for _ in range(2 if self._dice.random() < 0.1 else 1):
            await self._doors.http.submit(
                "demo.order", {"number": number, "items": 1 + number % 5}, key=f"{self._run}-{number}", tags=TAGS
            )

    async def picture(self) -> None:
        await self._doors.http.submit("demo.thumbnail", {"width": self._dice.randint(100, 400)}, tags=TAGS)

    async def report(self) -> None:
        """Somebody wants a report; one in three does not want it any more when it has begun."""
        job_id = await self._doors.http.submit("demo.report", {"pages": self._dice.randint(2, 12)}, tags=TAGS)
        if self._dice.random() < 0.33:
            self._later(1.5, self._cancel(job_id))

    async def reminder(self) -> None:
        """A mail for later; one in four is called off while it waits."""
        wait = self._dice.uniform(5, 25)
        job_id = await self._doors.http.submit("demo.mail", _mail("A reminder"), delay=wait, tags=TAGS)
        if self._dice.random() < 0.25:
            self._later(wait / 2, self._cancel(job_id))

    async def newsletter(self) -> None:
        jobs = [new_job("demo.mail", _mail("News"), priority="low", tags=TAGS) for _ in range(NEWSLETTER)]
        await self._doors.http.submit_many(jobs)

    async def album(self) -> None:
        """Pictures that belong together, and a mail when the last is done."""
        pictures = [new_job("demo.thumbnail", {"width": self._dice.randint(100, 400)}, tags=TAGS) for _ in range(ALBUM)]
        done = new_job("demo.mail", _mail("Your album"), tags=TAGS)
        await self._doors.http.submit_batch(pictures, name="album", on_complete=done)

    async def transfer(self) -> None:
        """The bank's service tells of a payment; one in twenty times it is not sure that it did, and tells it again."""
        job_id, number = uuid4(), self._next()
        for _ in range(2 if self._dice.random() < 0.05 else 1):
            await self._amqp("demo.transfer", {"order": number, "cents": 4200}, id=job_id)

    async def nonsense(self) -> None:
        """A program of somebody else is wrong about a payload, or about what there is: two kinds of dead letters."""
        if self._dice.random() < 0.5:
            await self._amqp("demo.transfer", {"order": "forty-two"})
        else:
            await self._amqp("demo.lottery", {"numbers": [4, 8, 15, 16, 23, 42]})

    async def delivery(self) -> None:
        """The warehouse's program writes its own tables, and tells the shop in the same transaction."""
        await self._doors.sql("demo.stock", {"item": f"item-{self._next() % 12}", "change": 5}, tags=TAGS)

    async def prices(self) -> None:
        """Read what suppliers offer; what was read since yesterday is not read again."""
        suppliers = self._doors.suppliers
        assert suppliers is not None, "only deeds whose door is open are done"
        pages = [{"url": suppliers.page(), "source": "demo", "category": "prices"} for _ in range(PRICES)]
        await self._doors.http.crawl(pages, max_age=YESTERDAY)

    async def look_after(self) -> None:
        """The staff tries again what failed, and throws away what nobody can read."""
        http = self._doors.http
        for job in (await http.list(state="failed", type="demo.charge", limit=3)).items:
            await http.retry(job.id)
        for job_type in ("demo.transfer", "demo.lottery"):
            for letter in (await http.dead_letters(type=job_type, redriven=False, limit=1)).items:
                await http.discard(letter.id)

    async def paperwork(self) -> None:
        """A job of a type that comes with Warren; another one each time."""
        errand = self._office.next()
        try:
            await self._doors.http.submit(*errand, priority="low", tags=TAGS)
        except Refused:
            self._office.cross_off(errand)
            raise

    async def _amqp(self, job_type: str, payload: dict[str, Any], id: UUID | None = None) -> None:
        assert self._doors.amqp is not None, "only deeds whose door is open are done"
        await self._doors.amqp.submit(job_type, payload, id=id, tags=TAGS)

    async def _cancel(self, job_id: UUID) -> None:
        try:
            await self._doors.http.cancel(job_id)
        except Refused:
            return  # it has ended meanwhile

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _open(self, door: str) -> bool:
        others = {AMQP: self._doors.amqp, SQL: self._doors.database, CRAWL: self._doors.suppliers}
        return bool(self._office) if door == OFFICE else others.get(door, self._doors.http) is not None


def _mail(subject: str) -> dict[str, str]:
    return {"to": "everybody@example.com", "subject": subject}


DEEDS: Final = (
    Deed(HTTP, Shop.order, 1, 30),
    Deed(HTTP, Shop.picture, 1, 15),
    Deed(HTTP, Shop.report, 1, 2),
    Deed(HTTP, Shop.reminder, 1, 6),
    Deed(BULK, Shop.newsletter, NEWSLETTER, 1),
    Deed(BATCH, Shop.album, ALBUM, 2),
    Deed(AMQP, Shop.transfer, 1, 20),
    Deed(AMQP, Shop.nonsense, 1, 0.12),
    Deed(SQL, Shop.delivery, 1, 15),
    Deed(CRAWL, Shop.prices, PRICES, 0.5),
    Deed(STAFF, Shop.look_after, 0, 0.5),
    Deed(OFFICE, Shop.paperwork, 1, 1),
)
