"""Addresses of mail: what everybody writes is read, what only an attacker writes is refused."""

from __future__ import annotations

import pytest

from wire.mailboxes import mailbox_of


@pytest.mark.parametrize(
    ("said", "name", "address"),
    [
        ("ada@example.org", "", "ada@example.org"),
        ("  ada@Example.ORG ", "", "ada@example.org"),
        ("Ada <ada@example.org>", "Ada", "ada@example.org"),
        ('"Lovelace, Ada" <ada@example.org>', "Lovelace, Ada", "ada@example.org"),
        ("Ada.B+tag@mail.example.org", "", "Ada.B+tag@mail.example.org"),
        ("<ada@example.org>", "", "ada@example.org"),
        ("root@localhost", "", "root@localhost"),
        ("Jürgen <j@bücher.example>", "Jürgen", "j@xn--bcher-kva.example"),
        ("用户@例子.example", "", "用户@xn--fsqu00a.example"),
        ("o'neill/x=1@example.org", "", "o'neill/x=1@example.org"),
    ],
)
def test_what_people_write_is_read(said: str, name: str, address: str) -> None:
    read = mailbox_of(said)

    assert (name, address) == (read.name, read.address)


@pytest.mark.parametrize(
    "said",
    [
        "", "ada", "@example.org", "ada@", "ada@@example.org", "ada@example..org", "ada@-example.org",
        "a b@example.org", "ada.@example.org", ".ada@example.org", "ada@exam ple.org", "ada@example.org>",
        "<<ada@example.org>>", "<ada@example.org> more", "Ada <ada@example.org", "ada@[127.0.0.1]",
        '"a@b"@example.org', "a,b@example.org", "ada@example.org, bob@example.org", "(note)ada@example.org",
        "ada@example.org\r\nBcc: eve@example.org", "ada@example.org\nRCPT TO:<eve@example.org>",
        "A\r\nBcc: eve@example.org <ada@example.org>", "A\x0bB <ada@example.org>", "A\u2028B <ada@example.org>",
        "A\x85B <ada@example.org>", "ada\x00@example.org", "Ada\u202egro.live <ada@example.org>",
        "ada\ud800@example.org", "ada@ex\u200bample.org", "a\u200bda@example.org", "ada@example.org SIZE=9",
        "x" * 65 + "@example.org",
        "ada@" + "x" * 64 + ".org", "ada@" + "x." * 130 + "org", "A" * 400 + " <ada@example.org>",
    ],
)  # fmt: skip
def test_what_nobody_writes_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has) "):
        mailbox_of(said)
