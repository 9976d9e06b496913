"""Mail over real connections to a real mail server: what arrives, by which connection, and what is said when not."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from pathlib import Path

import pytest

from actors.ends import PermanentError, RetryAfter
from actors.trades.mailing.failures import InDoubt, MailRefused, NotTaken, ServerAway
from actors.trades.mailing.mail import Attachment, Mail
from actors.trades.mailing.post import Post
from tests import certificates
from tests.mail_server import mail_server, rude_server
from tests.room.actors.mail_attempt import HELLO, post
from wire.metrics import table
from wire.slices.mailing import Mailing

LOGIN = "warren:s3cr%3At@"
KNOWN = {"warren": "s3cr:t"}


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """What a server of `localhost` shows, and the file that a client trusts."""
    server, _ = certificates.certified(tmp_path, "localhost")
    return server, str(tmp_path / certificates.FILE)


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with mail_server() as server, post(server) as ours:
        sent = await ours.send(HELLO)
    [received] = server.taken

    assert ("warren@example.org", ["ada@example.org"]) == (received.sender, received.recipients)
    assert ("Hello", "Good day\r\n.\r\nand so on\r\n") == (received.mail["subject"], received.mail.get_content())
    assert (sent.message_id, ("ada@example.org",), f"127.0.0.1:{server.port}") == (
        received.mail["message-id"], sent.accepted, sent.where,
    )  # fmt: skip


async def test_a_large_file_arrives_whole(tmp_path: Path) -> None:
    file = tmp_path / "film"
    file.write_bytes(bytes(range(256)) * 1_200)
    async with mail_server() as server, post(server) as ours:
        await ours.send(
            Mail(to=["ada@example.org"], subject="s", attachments=[Attachment("film", "application/x-film", file)])
        )
    [attached] = server.taken[0].mail.iter_attachments()

    assert file.read_bytes() == attached.get_content()


async def test_mails_share_a_connection() -> None:
    async with mail_server() as server, post(server) as ours:
        for _ in range(3):
            await ours.send(HELLO)

    assert (3, 1) == (len(server.taken), server.connections)


async def test_mails_at_once_share_a_few_connections() -> None:
    async with mail_server() as server, post(server, smtp_connections=2) as ours:
        await asyncio.gather(*(ours.send(HELLO) for _ in range(20)))

    assert 20 == len(server.taken)
    assert server.connections <= 2


async def test_a_connection_that_the_server_has_ended_costs_no_mail() -> None:
    async with mail_server() as server, post(server) as ours:
        await ours.send(HELLO)
        server.drop_all()
        await ours.send(HELLO)

    assert (2, 2) == (len(server.taken), server.connections)


async def test_addresses_in_other_letters_need_a_server_that_takes_them() -> None:
    mail = Mail(to=["用户@例子.example"], subject="s")
    async with mail_server() as server, post(server) as ours:
        await ours.send(mail)
    async with mail_server(utf8=False) as plain, post(plain) as ours:
        await ours.send(Mail(to=["jürgen <j@bücher.example>"], subject="s"))
        with pytest.raises(MailRefused, match="SMTPUTF8"):
            await ours.send(mail)

    assert (["用户@xn--fsqu00a.example"], "用户@xn--fsqu00a.example") == (
        server.taken[0].recipients, server.taken[0].mail["to"],
    )  # fmt: skip
    assert [["j@xn--bcher-kva.example"]] == [one.recipients for one in plain.taken]


@pytest.mark.parametrize("first", [True, False])
async def test_a_password_is_said_within_tls(tls: tuple[ssl.SSLContext, str], first: bool) -> None:
    scheme = "smtps" if first else "smtp"
    async with (
        mail_server(tls=tls[0], first=first, logins=KNOWN) as server,
        post(server, scheme, LOGIN, "localhost", smtp_certificates=tls[1]) as ours,
    ):
        await ours.send(HELLO)

    assert [("warren", True)] == [(one.user, one.tls) for one in server.taken]


async def test_a_password_is_not_said_in_the_clear() -> None:
    """
    The server, or who sits between, offers no STARTTLS.
    """
    async with mail_server(logins=KNOWN) as server, post(server, login=LOGIN) as ours:
        with pytest.raises(ServerAway, match="STARTTLS"):
            await ours.send(HELLO)
    async with post(server, login=LOGIN, smtp_starttls="never") as unsafe:
        assert "never" == unsafe.settings.server.tls  # type: ignore[union-attr]

    assert [] == server.said_to_be


@pytest.mark.parametrize("first", [True, False])
async def test_a_certificate_of_nobody_is_not_believed(tls: tuple[ssl.SSLContext, str], first: bool) -> None:
    scheme = "smtps" if first else "smtp"
    async with mail_server(tls=tls[0], first=first) as server, post(server, scheme, host="localhost") as ours:
        with pytest.raises(ServerAway, match=r"certificate verify failed.*WARREN_SMTP_CERTIFICATES names"):
            await ours.send(HELLO)

    assert [] == server.taken


async def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    async with mail_server() as server, post(server, smtp_certificates=str(tmp_path / "none")) as ours:
        with pytest.raises(ServerAway, match=r"WARREN_SMTP_CERTIFICATES: .*none cannot be read"):
            await ours.send(HELLO)


async def test_a_login_that_is_refused_waits_for_the_operator(tls: tuple[ssl.SSLContext, str]) -> None:
    async with (
        mail_server(tls=tls[0], logins={"warren": "other"}) as server,
        post(server, login=LOGIN, host="localhost", smtp_certificates=tls[1]) as ours,
    ):
        with pytest.raises(NotTaken, match="refuses the login: 535") as raised:
            await ours.send(HELLO)
        tried = len(server.said_to_be)
        with pytest.raises(NotTaken, match="refuses the login: 535"):
            await ours.send(HELLO)

    assert "s3cr" not in str(raised.value)
    assert tried == len(server.said_to_be)  # or it would be locked out one day


SECRETS = ["s3cr:t", base64.b64encode(b"s3cr:t").decode(), base64.b64encode(b"\0warren\0s3cr:t").decode()]


@pytest.mark.parametrize("secret", SECRETS)
async def test_a_password_that_the_server_says_back_is_not_told(secret: str) -> None:
    async def behaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"554 go away, {secret} \x1b[31m\r\n".encode())
        await writer.drain()

    async with rude_server(behaves) as server, post(server, login=LOGIN, smtp_starttls="never") as ours:
        with pytest.raises(ServerAway, match=r"does not serve us: 554 go away, … \[31m$"):
            await ours.send(HELLO)


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ("550 no such person", MailRefused), ("450 come again later", NotTaken), ("552 mailbox full", NotTaken),
        ("530 log in first", NotTaken), ("451 greylisted", NotTaken),
    ],
)  # fmt: skip
async def test_a_refusal_for_good_is_not_one_for_now(said: str, failure: type[Exception]) -> None:
    async with mail_server() as server, post(server) as ours:
        server.recipient = lambda _: said
        with pytest.raises(failure, match=said):
            await ours.send(HELLO)
        server.recipient = lambda _: "250 ok"
        await ours.send(HELLO)  # over the same connection

    assert (1, 1) == (len(server.taken), server.connections)


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ("550 we do not know you", MailRefused), ("451 later", NotTaken), ("530 log in first", NotTaken),
        ("421 closing", NotTaken),
    ],
)  # fmt: skip
async def test_a_sender_or_a_text_that_is_refused_is_told(said: str, failure: type[Exception]) -> None:
    async with mail_server() as server, post(server) as ours:
        server.sender = lambda _: said
        with pytest.raises(failure, match=f"refuses warren@example.org as the sender .WARREN_MAIL_FROM.: {said}"):
            await ours.send(HELLO)
        server.sender, server.content = (lambda _: "250 ok"), (lambda _: said)
        with pytest.raises(failure, match=f"refuses the mail: {said}"):
            await ours.send(HELLO)
        server.content = lambda _: "250 ok"
        await ours.send(HELLO)

    assert 1 == len(server.taken)


async def test_a_mail_that_is_larger_than_the_server_takes_is_not_begun() -> None:
    async with mail_server(data_size_limit=2_000) as server, post(server) as ours:
        with pytest.raises(MailRefused, match=r"attachments: the mail has \d+ bytes, .* takes 2000"):
            await ours.send(Mail(to=["ada@example.org"], subject="s", text="x" * 5_000))


async def test_a_server_that_is_not_there_is_named(unused_tcp_port: int) -> None:
    async with Post(Mailing(smtp_host="127.0.0.1", smtp_port=unused_tcp_port, mail_from="w@example.org")) as ours:
        with pytest.raises(ServerAway, match=f"127.0.0.1:{unused_tcp_port}"):
            await ours.send(HELLO)


async def test_whoever_waits_for_a_server_that_is_away_is_told_at_once() -> None:
    async def behaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"421 too busy\r\n")
        await writer.drain()

    async with rude_server(behaves) as server, post(server, smtp_connections=1) as ours:
        ends = await asyncio.gather(*(ours.send(HELLO) for _ in range(50)), return_exceptions=True)

    assert {ServerAway} == {type(end) for end in ends}
    assert server.connections < 10  # one, and one more every few seconds on a machine that is very slow


async def test_a_server_that_goes_before_the_end_has_not_taken_the_mail(tmp_path: Path) -> None:
    """
    Nobody need be in doubt about that: without the dot that ends it there is no mail.
    """

    async def behaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for said in (b"220 hello\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
            writer.write(said)
            await reader.readline()

    file = tmp_path / "file"
    file.write_bytes(bytes(3_000_000))
    mail = Mail(to=["ada@example.org"], subject="s", attachments=[Attachment("file", "a/b", file)])
    async with rude_server(behaves) as server, post(server) as ours:
        with pytest.raises(ServerAway):
            await ours.send(mail)


GREETING = b"220 hello\r\n"


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def greets_and_is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(GREETING)
    await reader.read()


async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(10_000):
        writer.write(b"220-" + b"x" * 1_000 + b"\r\n")
        await writer.drain()


async def has_no_end_of_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(10_000):
        writer.write(b"2" * 1_000)
        await writer.drain()


async def talks_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()


async def goes_after_the_greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(GREETING)
    await writer.drain()


async def starts_tls_with_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(GREETING)
    await reader.readline()
    writer.write(b"250-hello\r\n250 STARTTLS\r\n")
    await reader.readline()
    writer.write(b"220 go on\r\n250 this is not TLS\r\n")
    await reader.read()


@pytest.mark.parametrize(
    "behaves",
    [
        silent, greets_and_is_silent, babbles, has_no_end_of_line, talks_nonsense, goes_after_the_greeting,
        starts_tls_with_nonsense,
    ],
)  # fmt: skip
async def test_a_server_that_misbehaves_is_one_that_is_away(behaves: object, request: pytest.FixtureRequest) -> None:
    async with rude_server(behaves) as server, post(server, smtp_timeout_seconds=0.1) as ours:  # type: ignore[arg-type]
        with pytest.raises(ServerAway, match=f"127.0.0.1:{server.port}"):
            await ours.send(HELLO)


async def test_what_becomes_of_mails_is_counted(tmp_path: Path) -> None:
    before = dict(table.MAILS.values)
    async with mail_server() as server, post(server) as ours:
        await ours.send(HELLO)
        for said in ("550 no", "450 later"):
            server.recipient = lambda _, said=said: said  # type: ignore[misc]
            with pytest.raises(PermanentError if said == "550 no" else RetryAfter):
                await ours.send(HELLO)
        server.recipient, server.content = (lambda _: "250 ok"), (lambda _: None)
        with pytest.raises(InDoubt):
            await ours.send(HELLO)
    async with Post(Mailing(mail_outbox=str(tmp_path))) as ours:
        await ours.send(HELLO)

    assert {"taken": 1, "refused": 1, "not_now": 1, "in_doubt": 1, "written": 1} == {
        labels[0]: count - before.get(labels, 0)
        for labels, count in table.MAILS.values.items()
        if count != before.get(labels, 0)
    }


async def test_without_a_server_a_mail_is_a_file(tmp_path: Path) -> None:
    async with Post(Mailing(mail_outbox=str(tmp_path / "outbox"))) as ours:
        sent = await ours.send(HELLO)
    [file] = (tmp_path / "outbox").iterdir()

    assert (str(file), ("ada@example.org",), file.stat().st_size) == (sent.where, sent.accepted, sent.size_bytes)
    assert b"\r\nGood day\r\n.\r\nand so on\r\n" in file.read_bytes()


async def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with Post(Mailing(mail_outbox=str(tmp_path / "file"))) as ours:
        with pytest.raises(ServerAway, match="WARREN_MAIL_OUTBOX names another"):
            await ours.send(HELLO)


async def test_who_is_cancelled_while_it_waits_leaves_a_connection_for_the_next() -> None:
    held = asyncio.Event()

    async def later(_: object) -> str:
        await held.wait()
        return "250 ok"

    async with mail_server() as server, post(server, smtp_connections=1) as ours:
        server.content = later
        first = asyncio.ensure_future(ours.send(HELLO))
        waiting = asyncio.ensure_future(ours.send(HELLO))
        await asyncio.sleep(0)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        held.set()
        await first
        await ours.send(HELLO)

    assert 2 == len(server.taken)
