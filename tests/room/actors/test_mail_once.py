"""Nobody gets a mail twice whose server has said that it took it, whatever becomes of the attempt."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from pydantic import SecretStr

from actors.configured import configured_as
from actors.trades.mailing.failures import InDoubt, MailRefused, NotTaken
from persistence.receipts.receipts import TakenOver
from persistence.store.database import Database
from tests.eventually import eventually
from tests.mail_server import MailServer, Received, mail_server
from tests.room.actors.mail_attempt import HELLO, THREE, Attempt, post
from wire.settings import Stores
from wire.spans import here
from wire.spans.otlp import Span
from wire.spans.recording import Recording

ADA, BOB, EVE = THREE.to


def refusing(**said: str) -> dict[str, str]:
    return {f"{name}@example.org": reply for name, reply in said.items()}


def mailed(server: MailServer) -> Counter[str]:
    return Counter(address for one in server.taken for address in one.recipients)


async def test_who_was_refused_for_now_is_mailed_alone_the_next_time(database: Database) -> None:
    attempt, refuses = await Attempt.first(database), refusing(bob="451 later", eve="550 who?")
    async with mail_server() as server, post(server) as ours:
        server.recipient = lambda address: refuses.get(address, "250 ok")
        with (
            attempt.at_work(),
            pytest.raises(NotTaken, match="took it for 1 and would not take it now for bob@") as first,
        ):
            await ours.send(THREE)
        following = await attempt.next()
        with following.at_work(), pytest.raises(NotTaken) as second:
            await ours.send(THREE)
        del refuses[BOB]
        with (await following.next()).at_work():
            sent = await ours.send(THREE)

    assert Counter({ADA: 1, BOB: 1}) == mailed(server)
    assert ((ADA, BOB), [(EVE, 550)]) == (sent.accepted, [(one.address, one.code) for one in sent.refused])
    assert {sent.message_id} == {one.mail["message-id"] for one in server.taken}
    assert str(attempt.job_id) in sent.message_id
    assert (30, 60) == (first.value.after.total_seconds(), second.value.after.total_seconds())


async def test_a_job_in_a_child_process_knows_whom_it_has_mailed(database: Database, database_url: str) -> None:
    attempt = await Attempt.first(database)
    stores = Stores(amqp_url=SecretStr("amqp://nobody"), database_url=SecretStr(database_url))
    async with mail_server() as server, post(server) as ours:
        server.recipient = lambda address: "250 ok" if address == ADA else "451 later"
        with configured_as(stores), attempt.at_work(apart=True), pytest.raises(NotTaken):
            await ours.send(THREE)
        server.recipient = lambda _: "250 ok"
        with configured_as(stores), (await attempt.next()).at_work(apart=True):
            sent = await ours.send(THREE)

    assert Counter({ADA: 1, BOB: 1, EVE: 1}) == mailed(server)
    assert (ADA, BOB, EVE) == sent.accepted


async def test_a_mail_that_somebody_got_has_not_failed(database: Database) -> None:
    attempt, refuses = await Attempt.first(database), refusing(bob="451 later", eve="550 who?")
    async with mail_server() as server, post(server) as ours:
        server.recipient = lambda address: refuses.get(address, "250 ok")
        with attempt.at_work(), pytest.raises(NotTaken):
            await ours.send(THREE)
        refuses[BOB] = "550 gone"
        with (await attempt.next()).at_work():
            sent = await ours.send(THREE)

    assert ((ADA,), [BOB, EVE]) == (sent.accepted, [one.address for one in sent.refused])
    assert Counter({ADA: 1}) == mailed(server)


async def test_nobody_at_all_is_a_failure(database: Database) -> None:
    async with mail_server() as server, post(server) as ours:
        server.recipient = lambda _: "550 who?"
        with (await Attempt.first(database)).at_work(), pytest.raises(MailRefused, match=r"refuses .*ada.*bob.*eve"):
            await ours.send(THREE)

    assert [] == server.taken


async def test_a_mail_is_a_span_of_its_attempt(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[Span] = []
    recording = Recording(
        recorded.extend, keeps=lambda _: True, follows=lambda *_: True, surround=lambda *_, **__: None
    )
    monkeypatch.setattr(here, "spans", recording)
    async with mail_server() as server, post(server) as ours:
        with (await Attempt.first(database)).at_work() as job:
            await ours.send(HELLO)
            server.content = lambda _: "550 no"
            with pytest.raises(MailRefused):
                await ours.send(replace(HELLO, key="other"))

    assert [job.trace.span_id] * 2 == [span.parent_id for span in recorded]
    assert [b"send mail"] * 2 == [span.name[-9:] for span in recorded]
    assert [False, True] == [b"refused" in span.encoded() for span in recorded]
    assert not any(b"example.org" in span.encoded() for span in recorded)


async def test_more_than_the_server_takes_at_once_go_one_after_the_other(database: Database) -> None:
    async with mail_server() as server, post(server) as ours:
        server.at_once = 2
        with (await Attempt.first(database)).at_work():
            sent = await ours.send(replace(THREE, cc=["joe@example.org", "zoe@example.org"]))

    assert (5, []) == (len(sent.accepted), list(sent.refused))
    assert {1} == set(mailed(server).values())
    assert [2, 2, 1] == [len(one.recipients) for one in server.taken]


async def test_a_server_that_takes_a_mail_and_says_nothing_gets_it_again_under_its_name(database: Database) -> None:
    attempt = await Attempt.first(database)
    async with mail_server(keeps_all=True) as server, post(server) as ours:
        server.content = lambda _: None
        with attempt.at_work(), pytest.raises(InDoubt, match="did not say what became of it"):
            await ours.send(HELLO)
        server.content = lambda _: "250 ok"
        with (await attempt.next()).at_work():
            await ours.send(HELLO)

    assert 2 == len(server.taken)
    assert 1 == len({one.mail["message-id"] for one in server.taken})


async def test_mails_of_one_job_are_told_apart_by_their_keys(database: Database) -> None:
    attempt = await Attempt.first(database)
    async with mail_server() as server, post(server) as ours:
        for one in (attempt, attempt):
            with one.at_work():
                await ours.send(replace(HELLO, key="first"))
                await ours.send(replace(HELLO, key="second"))

    assert 2 == len(server.taken)
    assert 2 == len({one.mail["message-id"] for one in server.taken})


async def test_an_attempt_that_has_lost_its_job_sends_nothing(database: Database) -> None:
    attempt = await Attempt.first(database)
    await attempt.next()
    async with mail_server() as server, post(server) as ours:
        with attempt.at_work(), pytest.raises(TakenOver):
            await ours.send(HELLO)

    assert (0, 0) == (len(server.taken), server.connections)


async def test_a_cancel_while_the_server_has_the_mail_waits_for_its_word(database: Database) -> None:
    """
    Then nobody mails it again: neither a retry by hand nor the worker that takes over after a drain.
    """
    attempt, read, may_answer = await Attempt.first(database), asyncio.Event(), asyncio.Event()

    async def slowly(_: Received) -> str:
        read.set()
        await may_answer.wait()
        return "250 ok"

    async with mail_server() as server, post(server) as ours:
        server.content = slowly
        with attempt.at_work():
            sending = asyncio.ensure_future(ours.send(HELLO))
            await read.wait()
            sending.cancel()
            await asyncio.sleep(0)
            may_answer.set()
            with pytest.raises(asyncio.CancelledError):
                await sending
        before = len(server.taken)
        with (await attempt.next()).at_work():
            sent = await ours.send(HELLO)
            await ours.send(replace(HELLO, key="another"))  # over the same connection

    assert (1, 2, 1) == (before, len(server.taken), server.connections)
    assert ("ada@example.org",) == sent.accepted


async def test_a_cancel_before_that_sends_nothing(database: Database) -> None:
    attempt = await Attempt.first(database)
    async with mail_server() as server, post(server) as ours:

        def cancels(_: str) -> str:
            sending.cancel()
            return "250 ok"

        server.recipient = cancels
        with attempt.at_work():
            sending = asyncio.ensure_future(ours.send(HELLO))
            with pytest.raises(asyncio.CancelledError):
                await sending
        await eventually(lambda: all(one.transport is None for one in server.open))
        before = len(server.taken)
        server.recipient = lambda _: "250 ok"
        with (await attempt.next()).at_work():
            await ours.send(HELLO)

    assert (0, 1) == (before, len(server.taken))
