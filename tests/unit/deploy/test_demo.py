"""The demo's pure parts: what is drawn, what is told, and which doors are left out."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

import warren
from deploy.demo import shown
from deploy.demo.deeds import AMQP, CRAWL, DEEDS, OFFICE, SQL, Shop
from deploy.demo.doors import Doors, Places
from deploy.demo.drive import Sent, drive
from deploy.demo.office import Office, errands
from deploy.demo.run import Demo
from deploy.demo.suppliers import Suppliers
from deploy.demo.watch import Count
from persistence.declared import payloads
from tests.eventually import eventually
from tests.shipped import shipped
from warren import Client


def shop(*, others: bool) -> Shop:
    http = Client("http://127.0.0.1:1")
    there = (Client(amqp_url="amqp://127.0.0.1:1/"), None, Suppliers()) if others else (None, None)
    served = frozenset(name for name, _ in errands(Suppliers())) if others else frozenset()
    return Shop(Doors(http, *there, served=served), lambda *_: None, seed=1)


def test_every_deed_is_drawn_and_as_often_as_it_says() -> None:
    one = shop(others=True)
    drawn = Counter(one.draw() for _ in range(20_000))
    possible = [deed for deed in DEEDS if deed.door != SQL]
    whole = sum(deed.weight for deed in possible)

    assert set(possible) == set(drawn)
    assert [] == [deed for deed in possible if not 0.5 < drawn[deed] / (20_000 * deed.weight / whole) < 2]


def test_a_door_without_an_address_is_left_out() -> None:
    one = shop(others=False)
    drawn = {one.draw().door for _ in range(2_000)}

    assert set() == drawn & {AMQP, SQL, CRAWL, OFFICE}


def test_the_office_has_an_errand_of_each_type_that_comes_with_warren() -> None:
    types = shipped()
    suppliers = Suppliers()
    suppliers.address = "127.0.0.1:8808"
    known = dict(errands(suppliers))
    for name in known.keys() - {"backup_task"}:  # which is taken where there is a key for it
        payloads.check(known[name], types[name])

    assert types.keys() == known.keys()
    assert {"echo", "send_email"} < {name for name, _ in errands(None)} < known.keys()


def test_the_office_does_each_errand_in_its_turn_and_none_that_is_not_taken() -> None:
    office = Office(frozenset({"echo", "math", "sleep"}), None)
    first = [office.next() for _ in range(4)]
    office.cross_off(first[1])

    assert ["echo", "math", "sleep", "echo"] == [name for name, _ in first]
    assert {"echo", "sleep"} == {office.next()[0] for _ in range(4)}
    assert not Office(frozenset(), None)


@pytest.mark.parametrize(
    ("environ", "places"),
    [
        ({}, Places("http://127.0.0.1:8000", None, None, None)),
        (
            {"WARREN_URL": "http://a/", "WARREN_API_KEY": "k", "AMQP_URL": "amqp://b", "DATABASE_URL": "postgres://c"},
            Places("http://a", "k", "amqp://b", "postgresql://c"),
        ),
    ],
)
def test_the_places_are_those_of_the_environment(environ: dict[str, str], places: Places) -> None:
    assert places == Places.of(environ)


async def test_a_fault_is_counted_and_ends_nothing() -> None:
    """
    Nobody answers at the gateway's address: the demo goes on until it is told to stop.
    """
    stop, sent = asyncio.Event(), Sent()
    nobody = Shop(Doors(Client("http://127.0.0.1:1", patience_seconds=0.01), None, None), lambda *_: None, seed=1)
    async with asyncio.TaskGroup() as both:
        both.create_task(drive(nobody, 500, 0, stop, sent))
        await eventually(lambda: sum(sent.faults.values()) >= 3)
        stop.set()

    assert 0 == sent.jobs
    assert all(name.endswith((": NotConfirmed", ": Unavailable")) for name in sent.faults)


async def test_without_a_gateway_it_says_so_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Port 1 is nobody's.
    """
    ended = await Demo(20, 1, Places("http://127.0.0.1:1", None, None, None), {}).run()

    assert 1 == ended
    assert capsys.readouterr().err.startswith("warren demo: http://127.0.0.1:1: ")


def test_what_was_there_before_is_not_counted() -> None:
    before = Count({"completed": 5, "failed": 3, "queued": 9})
    now = Count({"completed": 12, "failed": 1, "queued": 2}).since(before)

    assert (7, 2) == (now.ended, now.open)  # a failed job was retired meanwhile


def test_the_lines_say_what_became_of_the_jobs() -> None:
    sent = Sent(Counter(http=30, amqp=12), Counter({"sql: DatabaseUnavailable": 2}))
    count = Count({"completed": 40, "failed": 1, "running": 3})

    assert "42 submitted (4.2/s): 40 completed, 1 failed, 3 running; 2 not taken" == shown.line(10, sent, count)
    assert [
        "  submitted     30 http, 12 amqp",
        "  born of them  2 children, callbacks and jobs of the clock",
        "  became        40 completed, 1 failed, 3 running",
        "  not taken     2 sql: DatabaseUnavailable",
    ] == shown.sum_up(sent, count)
    assert ["seconds", "ended", "jobs"] == [text.split()[0] for text in shown.bars(10, 60, sent, count)]


@pytest.mark.parametrize(
    ("words", "seconds"), [("0", 0.0), ("90", 90.0), ("90s", 90.0), ("5m", 300.0), ("8h", 28_800.0)]
)
def test_a_duration_has_a_unit(words: str, seconds: float) -> None:
    asked = warren._parser().parse_args(["demo", "--duration", words])

    assert seconds == asked.duration
