"""What every message of ours carries, and that nothing of one received is missed."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace

from wire.message import Incoming, Outgoing
from wire.translate import incoming, properties


def test_a_message_of_ours_outlives_a_broker_and_says_what_it_is() -> None:
    """
    A transient one is gone with a restart; one without a priority counts 0, below the least important.
    """
    said = properties(Outgoing("jobs", "job.echo.p3", b"{}", "an id", "echo", 3, {"run": 2}))

    assert (2, "an id", "echo", 3, {"run": 2}) == (
        said.delivery_mode, said.message_id, said.message_type, said.priority, said.headers,
    )  # fmt: skip
    assert ("application/json", "warren", True) == (said.content_type, said.app_id, said.timestamp is not None)
    assert (None, None, None, None) == (said.user_id, said.expiration, said.reply_to, said.correlation_id)


def test_all_that_a_delivery_says_is_read() -> None:
    said = {field.name: f"a {field.name}" for field in fields(Incoming)} | {
        "body": b"{}", "headers": {"a": 1}, "priority": 7, "redelivered": True, "queue": "births",
    }  # fmt: skip

    assert Incoming(**said) == incoming(SimpleNamespace(**said), "births")  # type: ignore[arg-type]
