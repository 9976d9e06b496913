"""A mail as bytes: what a mail program reads is what the job said, and nothing of it becomes a header of its own."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from actors.trades.mailing.compose import compose
from actors.trades.mailing.failures import MailRefused
from actors.trades.mailing.mail import Attachment, Mail
from wire.slices.mailing import Mailing

SETTINGS = Mailing(mail_from="Warren <warren@example.org>")
ADA = ["ada@example.org"]
HEADERS = {"From", "To", "Subject", "Date", "Auto-Submitted", "Message-ID", "Content-Type", "MIME-Version"}


def read(mail: Mail, settings: Mailing = SETTINGS) -> EmailMessage:
    content = compose(mail, settings, "mark").content
    lines = content.split(b"\r\n")
    found = message_from_bytes(content, policy=default)

    assert isinstance(found, EmailMessage)
    assert max(map(len, lines)) <= 998
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", content)
    assert content.isascii()
    return found


@pytest.mark.parametrize(
    "subject", ["Hello", "", "Grüße", "日本語の件名" * 20, "x" * 900, "a  b", "=?utf-8?q?=0aBcc:_x?=", "ends ="]
)
def test_a_subject_is_read_as_it_was_said(subject: str) -> None:
    assert subject == read(Mail(to=ADA, subject=subject))["subject"]


@pytest.mark.parametrize(
    "text", ["Hello", "Grüße\n\n.\n..\nFrom here\n--=_mark_kinds\n", "日本語\n" * 50, "a\rb\r\nc", "x" * 5_000, ""]
)
def test_a_text_is_read_as_it_was_said(text: str) -> None:
    found = read(Mail(to=ADA, subject="s", text=text)).get_content()

    assert text.replace("\r\n", "\n").replace("\r", "\n") == found.replace("\r\n", "\n")


def test_all_parts_are_read_as_they_were_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(range(256)))
    mail = Mail(
        to=["Müller, Jörg <jm@example.org>"], cc=["bob@example.org"], bcc=["eve@example.org"], reply_to="z@example.org",
        subject="s", text="täxt", html="<p>täxt</p>", headers={"List-Id": "<a.b>"},
        attachments=[Attachment('spä"te.pdf', "application/pdf", file), Attachment("b.eml", "message/rfc822", file)],
    )  # fmt: skip
    found = read(mail)
    files = [(one.get_filename(), one.get_content_type(), one.get_content()) for one in found.iter_attachments()]
    text, html = found.get_body(("plain",)), found.get_body(("html",))

    assert text is not None
    assert html is not None
    assert ("täxt", "<p>täxt</p>") == (text.get_content(), html.get_content())
    assert [
        ('spä"te.pdf', "application/pdf", bytes(range(256))), ("b.eml", "application/octet-stream", bytes(range(256)))
    ] == files  # fmt: skip
    assert ("Müller, Jörg", "jm@example.org") == (
        found["to"].addresses[0].display_name, found["to"].addresses[0].addr_spec,
    )  # fmt: skip
    assert ("bob@example.org", "z@example.org", "<a.b>") == (found["cc"], found["reply-to"], found["list-id"])
    assert b"eve@" not in compose(mail, SETTINGS, "mark").content
    assert ("jm@example.org", "bob@example.org", "eve@example.org") == compose(mail, SETTINGS, "mark").recipients


@pytest.mark.parametrize(
    "name", ["=?utf-8?q?=0d=0aBcc:_eve=40example.org?=", '"; evil="', "a\\b", "Bcc: eve@example.org", "ü" * 100]
)
def test_a_name_stays_a_name(name: str) -> None:
    found = read(Mail(to=[f"{name} <ada@example.org>"], subject="s"))

    assert set(found.keys()) <= HEADERS | {"Content-Transfer-Encoding"}
    assert ["ada@example.org"] == [one.addr_spec for one in found["to"].addresses]


INJECTED = "x\r\nBcc: eve@example.org"


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        (Mail(to=[], subject="s"), "to: nobody"),
        (Mail(to=["a@b", "nobody"], subject="s"), "to.1: is not an address"),
        (Mail(to=ADA, cc=[INJECTED], subject="s"), "cc.0: has a sign"),
        (Mail(to=ADA, bcc=["a@b c"], subject="s"), "bcc.0: has no name"),
        (Mail(to=ADA, subject=INJECTED), "subject: has a sign that no header may have, U+000D"),
        (Mail(to=ADA, subject="x\u2028y"), "subject: has a sign"),
        (Mail(to=ADA, subject="x" * 901), "subject: has 901 characters"),
        (Mail(to=ADA, subject="s", reply_to=INJECTED), "reply_to: has a sign"),
        (Mail(to=ADA, subject="s", headers={"X-A": INJECTED}), "headers.X-A: has a sign"),
        (Mail(to=ADA, subject="s", headers={"X-A\r\nBcc": "x"}), "headers: a name is letters"),
        (Mail(to=ADA, subject="s", headers={"bCC": "eve@example.org"}), "headers.bCC: is written by Warren"),
        (Mail(to=ADA, subject="s", headers={"X-A: b\nBcc": "x"}), "headers: a name is letters"),
        (Mail(to=ADA, subject="s", attachments=[Attachment(INJECTED, "a/b", Path("/dev/null"))]), "attachments.0"),
        (Mail(to=ADA, subject="s", attachments=[Attachment("../x", "a/b", Path("/dev/null"))]), "attachments.0"),
        (Mail(to=ADA, subject="s", text="\ud800"), "body: has half of a sign"),
        (Mail(to=ADA, subject="s", text="x" * 3_000), "WARREN_MAIL_MAX_BYTES allows 2048"),
        (Mail(to=[f"a{n}@b" for n in range(4)], subject="s"), "4 recipients, WARREN_MAIL_MAX_RECIPIENTS allows 3"),
        (Mail(to=["Eve@other.org"], subject="s"), "Eve@other.org is none of those that WARREN_MAIL_ONLY_TO"),
    ],
)  # fmt: skip
def test_what_no_mail_may_hold_is_told_by_its_field(mail: Mail, told: str) -> None:
    only = "example.org,b" if "Eve" in "".join(mail.to) else ""
    settings = Mailing.model_validate({"mail_max_bytes": 2_048, "mail_max_recipients": 3, "mail_only_to": only})

    with pytest.raises(MailRefused, match=re.escape(told)):
        compose(mail, settings, "mark")


def test_a_text_in_base64_has_the_ends_of_lines_that_mail_has() -> None:
    content = read(Mail(to=ADA, subject="s", text="日本\n語")).get_payload(decode=True)

    assert "日本\r\n語".encode() == content


def test_a_files_type_is_no_header_either() -> None:
    mail = Mail(
        to=ADA, subject="s", attachments=[Attachment("a", "text/plain\r\nBcc: eve@example.org", Path("/dev/null"))]
    )
    [file] = read(mail).iter_attachments()

    assert "application/octet-stream" == file.get_content_type()


def test_the_same_mail_is_the_same_bytes_but_for_its_date() -> None:
    mail = Mail(to=ADA, subject="s", text="a", html="b")
    once, again = (re.sub(rb"Date: .*", b"", compose(mail, SETTINGS, "mark").content) for _ in range(2))

    assert once == again


def test_only_who_may_get_mail_gets_any() -> None:
    settings = Mailing(mail_only_to=("Example.org", "BOB@other.org", "bücher.example"))
    people = ["a@example.org", "Bob@other.org", "x@bücher.example"]

    assert 3 == len(compose(Mail(to=people, subject="s"), settings, "mark").recipients)
    for stranger in ("eve@other.org", "a@sub.example.org", "a@example.org.evil.org", "bob@other.orgx"):
        with pytest.raises(MailRefused, match="none of those that WARREN_MAIL_ONLY_TO"):
            compose(Mail(to=people, bcc=[stranger], subject="s"), settings, "mark")
    with pytest.raises(ValueError, match="must be addresses and domains"):
        Mailing(mail_only_to=("exa mple.org",))
