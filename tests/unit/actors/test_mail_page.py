"""docs/mail.md is true: its job and the job's test run as they stand there."""

from __future__ import annotations

import importlib
import re
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from actors.broker import JobBroker
from actors.inline import run_inline
from actors.job import job
from actors.trades.mailing.email import MOST_RETRIES
from actors.trades.mailing.failures import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, NotTaken, ServerAway
from wire.settings import environment_names, fields
from wire.slices.mailing import Mailing

PAGE = (Path(__file__).parents[3] / "docs/mail.md").read_text()


def test_the_job_and_its_test(broker: JobBroker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n# (\w+)\.py\n(.*?)```", PAGE, re.DOTALL)
    for name, code in blocks:
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(code, f"{name}.py", "exec"), module.__dict__)
    sys.modules["test_jobs"].test_a_card_comes_with_the_welcome(tmp_path, monkeypatch)

    assert ["jobs", "test_jobs"] == [name for name, _ in blocks]


def test_its_settings_and_figures() -> None:
    known = {name for owner, field, _ in fields() for name in environment_names(owner, field)}

    assert set() == set(re.findall(r"\b(?:WARREN|SMTP)_[A-Z_]+\b", PAGE)) - known
    assert (25 * 1024 * 1024, 100) == (Mailing().mail_max_bytes, Mailing().mail_max_recipients)
    assert (30, 900) == (FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)


@pytest.mark.parametrize(("error", "minutes"), [(ServerAway, 8.5), (NotTaken, 60.5)])
def test_how_long_its_retries_last(broker: JobBroker, error: type[Exception], minutes: float) -> None:
    """
    By the type's own back-off where no server answers, by our waits where one answers 4xx; without the jitter.
    """

    @job("letter", max_retries=MOST_RETRIES)
    def letter() -> None:
        raise error("later")

    waits = [run_inline(letter, attempt=attempt).after for attempt in range(1, MOST_RETRIES + 1)]

    assert timedelta(minutes=minutes) == sum(waits, timedelta(0))
    assert f"Both types have {MOST_RETRIES} retries: a server may be away for 8½ minutes" in PAGE
    assert "or take an hour to get to know us" in PAGE


@pytest.mark.parametrize(
    ("named", "host", "port", "tls", "user", "password"),
    [
        ("smtps://user:password@smtp.example.org", "smtp.example.org", 465, "first", "user", "password"),
        ("smtp://user:password@smtp.example.org", "smtp.example.org", 587, "required", "user", "password"),
        ("smtp://relay.internal", "relay.internal", 25, "offered", "", ""),
        ("smtp://u%40example.org:p%3A%2F@[::1]:2525", "::1", 2525, "required", "u@example.org", "p:/"),
    ],
)
def test_its_addresses_of_servers(named: str, host: str, port: int, tls: str, user: str, password: str) -> None:
    server = Mailing.model_validate({"smtp_url": named}).server

    assert server is not None
    assert (host, port, tls, user, password) == (
        server.host, server.port, server.tls, server.user, server.password.get_secret_value(),
    )  # fmt: skip
    assert not password or repr(password) not in repr(server)


@pytest.mark.parametrize(
    "named", ["http://h", "smtp://", "smtp://h/path", "smtp://a,b", "smtp://h:99999", "smtp://u:p@w@h"]
)
def test_what_is_no_server_is_refused(named: str) -> None:
    with pytest.raises(ValueError, match=r"must|is not"):
        Mailing.model_validate({"smtp_url": named})


def test_parts_make_a_server_too() -> None:
    parts = Mailing.model_validate(
        {"smtp_host": "h", "smtp_port": 465, "smtp_user": "ada@example.org", "smtp_password": "p"}
    )

    assert parts.server is not None
    assert ("h:465", "first", "ada@example.org") == (parts.server.place, parts.server.tls, parts.sender)
    assert (None, "warren@localhost") == (Mailing().server, Mailing().sender)


@pytest.mark.parametrize(
    ("name", "payload", "told"),
    [
        ("send_email", {"to": ["a@b", "a b@c"]}, "payload.to.1: has signs that no mailbox has"),
        ("send_email", {"to": "a@b", "bcc": ["a@-"]}, "payload.bcc.0: has no name of a mail domain"),
        ("send_email", {"to": "a@b", "subject": "x\u2028y"}, "payload.subject: has a sign that no header may have"),
        ("email_notification", {"recipient": "a@b c"}, "payload.recipient.0: has no name of a mail domain"),
    ],
)
def test_what_only_a_worker_can_see_is_told_by_the_payloads_words(
    name: str, payload: dict[str, object], told: str, broker: JobBroker
) -> None:
    sys.modules.pop(f"actors.catalogue.{name}", None)
    module = importlib.import_module(f"actors.catalogue.{name}")
    ran = run_inline(getattr(module, name), {"subject": "Hello", **payload})

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith(told)
