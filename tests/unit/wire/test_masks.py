"""What looks like a secret is masked; what does not is left as it is."""

from __future__ import annotations

from typing import Any

import pytest

from wire import masks

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password=hunter2", "password=***"),
        ("PASSWORD = hunter2;", "PASSWORD = ***;"),
        ("db_password: hunter2, host: h", "db_password: ***, host: h"),
        ('{"password": "hun ter2", "user": "ada"}', '{"password": ***, "user": "ada"}'),
        ("{'api_key': 'k3y', 'n': 1}", "{'api_key': ***, 'n': 1}"),
        ("Settings(secret='a b', n=1)", "Settings(secret=***, n=1)"),
        ("https://h/x?token=abc&page=2", "https://h/x?token=***&page=2"),
        ("https://h/x?page=2&access_token=abc", "https://h/x?page=2&access_token=***"),
        ("Authorization: Bearer abc.def-1", "Authorization: ***"),
        ("Authorization: Basic dXNlcjpwYXNz, Accept: a", "Authorization: ***, Accept: a"),
        ("sent Bearer abcdefgh12345678 to h", "sent Bearer *** to h"),
        ("Cookie: session=abc", "Cookie: ***"),
        ("x-api-key: abc", "x-api-key: ***"),
        (f"got {JWT}.", "got ***."),
        ("AKIAIOSFODNN7EXAMPLE used", "*** used"),
        (f"ghp_{'a1' * 18} is a key", "*** is a key"),
        (f"xoxb-{'1' * 12}-abc", "***"),
        (f"sk_live_{'4e' * 12}", "***"),
        (f"key:\n{KEY}\nend", "key:\n***\nend"),
        ("postgresql://u:s3cr3t@h/d refused, password=x", "postgresql://u:***@h/d refused, password=***"),
    ],
)  # fmt: skip
def test_a_secret_in_a_text_is_masked(text: str, masked: str) -> None:
    assert masked == masks.mask_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "the password was wrong", "no token here", "tokens used: many", "secretary", "a basic idea of the thing",
        "https://example.org/a?page=2", "line 3 of 4", "skating", "risk-free", "",
    ],
)  # fmt: skip
def test_a_text_without_a_secret_stays(text: str) -> None:
    assert "tokens" in text or text == masks.mask_text(text)


def test_what_is_masked_stays_so() -> None:
    """
    A line passes here twice when a project's own logging stands between.
    """
    once = masks.mask_text("password=hunter2 Authorization: Bearer abcdefgh12345678 amqp://u:x@h")

    assert once == masks.mask_text(once)


class Hostile:
    """It cannot be looked at."""

    def __repr__(self) -> str:
        raise ValueError


class Account:
    def __repr__(self) -> str:
        return "Account(password='hunter2')"


def test_an_object_is_masked_as_it_would_be_written() -> None:
    assert "Account(password=***)" == masks.masked("account", Account())
    assert {"a": "Account(password=***)"} == masks.masked("x", {"a": Account()})
    assert "***" == masks.masked("x", Hostile())


def test_what_holds_itself_ends() -> None:
    around: dict[str, Any] = {"n": 1, "password": "hunter2"}
    around["self"] = [around]

    assert "hunter2" not in repr(masks.masked("x", around))


def test_a_long_text_is_read_in_time_that_grows_with_it() -> None:
    """
    A page that somebody logs must not hold up the loop: no pattern looks at a place more often than a few times.
    """
    for text in ("password" * 20_000, "a" * 200_000, "bearer " * 20_000, "://" * 50_000, "eyJ" + "a." * 50_000):
        masks.mask_text(text)
