"""What every message of ours carries."""

from __future__ import annotations

from wire.message import Outgoing
from wire.rabbitmq.translate import properties


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
