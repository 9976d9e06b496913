"""A log line has one shape, and no secret in it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from wire import logs, masks

SECRET = "s3cr3t"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process with our logging has written."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    noisy = {name: logging.getLogger(name).level for name in ("pika", "dramatiq")}
    root.handlers[:] = []  # configure closes those it finds, and these are the test runner's
    logs.configure("tests", "INFO", "json")
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = before, level
    for name, was in noisy.items():
        logging.getLogger(name).setLevel(was)


@pytest.mark.parametrize(
    "key",
    [
        "password", "PASSWORD", "db_password", "secret", "client_secret", "token", "access_token", "api_key", "apikey",
        "API-KEY", "authorization", "Authorization", "cookie", "set_cookie",
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [SECRET, SECRET.encode(), [SECRET], {"a": SECRET}])
def test_a_value_whose_name_is_a_secrets_is_masked(key: str, value: object) -> None:
    assert "***" == logs.mask_secrets(None, "info", {"event": "x", key: value})[key]


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("amqp://guest:s3cr3t@host:5672/v", "amqp://guest:***@host:5672/v"),
        ("postgresql+asyncpg://u:s3cr3t@h/d", "postgresql+asyncpg://u:***@h/d"),
        ("redis://:s3cr3t@h", "redis://:***@h"),
        ("amqps://u:s3@cr3t@h", "amqps://u:***@h"),
        ("AMQP://u:s3/cr3t@h", "AMQP://u:***@h"),
        ("cannot reach amqp://u:s3cr3t@h/v: refused", "cannot reach amqp://u:***@h/v: refused"),
        ("amqp://a:s3cr3t@h,amqp://b:s3cr3t@h", "amqp://a:***@h,amqp://b:***@h"),
        ("https://example.org/a:b", "https://example.org/a:b"),
        ("https://example.org:8000/x", "https://example.org:8000/x"),
        ("amqp://guest@host", "amqp://guest@host"),
        ("mail a:b@c.de", "mail a:b@c.de"),
    ],
)
def test_a_url_loses_its_password_only(url: str, masked: str) -> None:
    assert masked == masks.mask_url(url)


@pytest.mark.parametrize(
    "value",
    [
        f"amqp://u:{SECRET}@h",
        [f"amqp://u:{SECRET}@h"],
        {"url": f"amqp://u:{SECRET}@h"},
        {"headers": {"Authorization": f"Bearer {SECRET}"}},
        [{"password": SECRET}],
        OSError(f"amqp://u:{SECRET}@h refused"),
    ],
    ids=repr,
)
def test_a_secret_is_masked_however_deep_it_lies(value: object) -> None:
    assert SECRET not in repr(logs.mask_secrets(None, "info", {"event": "x", "value": value}))


@pytest.mark.parametrize("value", ["hello", 7, None, 1.5, ["a", 1], {"a": {"b": 1}}, True])
def test_other_values_stay_as_they_are(value: object) -> None:
    assert value == logs.mask_secrets(None, "info", {"event": "x", "value": value})["value"]


def test_a_line_is_one_json_object_with_its_event_and_its_values(written: io.StringIO) -> None:
    structlog.get_logger().info("job_delayed", attempt=3, url=f"amqp://u:{SECRET}@h")
    line = json.loads(written.getvalue())

    assert {"event": "job_delayed", "attempt": 3, "level": "info", "role": "tests", "url": "amqp://u:***@h"} == {
        name: value for name, value in line.items() if name != "timestamp"
    }


def test_other_libraries_take_the_same_shape(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("lost %s", f"amqp://u:{SECRET}@h")
    line = json.loads(written.getvalue())

    assert ("lost amqp://u:***@h", "warning", "tests") == (line["event"], line["level"], line["role"])


def test_a_secret_in_a_stack_is_masked(written: io.StringIO) -> None:
    try:
        raise OSError(f"amqp://u:{SECRET}@h refused")
    except OSError:
        structlog.get_logger().error("broken", exc_info=True)
        logging.getLogger("some.library").exception("broken too")
    lines = written.getvalue()

    assert SECRET not in lines
    assert 2 == len(lines.splitlines())


def test_what_is_below_the_level_or_known_to_be_noisy_is_not_written(written: io.StringIO) -> None:
    structlog.get_logger().debug("step")
    logging.getLogger("dramatiq").info("Worker process is ready")
    logging.getLogger("pika").error("a stack for each refused connection")

    assert "" == written.getvalue()


@pytest.mark.parametrize("value", [2**70, float("nan"), "\ud800", {1: "one"}, object(), {"a", "b"}, b"\xff"])
def test_whatever_is_told_makes_a_line(written: io.StringIO, value: object) -> None:
    structlog.get_logger().info("told", value=value)

    assert "told" == json.loads(written.getvalue())["event"]


def test_a_stream_that_cannot_be_written_fails_nothing(written: io.StringIO) -> None:
    """
    A disk that is full must not stop the jobs, of which a line tells.
    """
    written.close()

    structlog.get_logger().info("nobody_reads_this")
