"""Dramatiq's broker on our topology.

`.send()` inside a running job hands the message to that job's attempt, which writes it with its outcome; anywhere else
it goes through the public door with a confirm, so that a stock project's web process needs nothing but this broker.
No queue is declared the way Dramatiq declares queues (no `.DQ`, no `.XQ`), and none is consumed by its threads.
"""

from __future__ import annotations

from typing import Any, Final

import dramatiq
import pika
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import Callbacks, CurrentMessage, Middleware, Pipelines

from actors.codec import to_body, to_envelope
from actors.context import Context, current
from actors.declared.roster import job_type
from persistence.declared import payloads
from wire.envelope import Envelope
from wire.message import CONTENT_TYPE
from wire.settings import Limits
from wire.signature import client_properties, signature
from wire.spans import caller
from wire.topology import PUBLIC, routing_key

TRIES: Final = 4
BLOCKED_SECONDS: Final = 10  # an alarm must not hang a web request for ever


class Options(Middleware):
    """The options that a stock project may give its actors; the engine honours them, or docs say that it does not."""

    @property
    def actor_options(self) -> set[str]:
        return {
            "job", "max_retries", "min_backoff", "max_backoff", "throws", "retry_when", "time_limit", "max_age",
            "notify_shutdown", "jitter", "on_retry_exhausted",
        }  # fmt: skip


class JobBroker(RabbitmqBroker):
    """A RabbitmqBroker that speaks envelopes."""

    def __init__(self, url: str, limits: Limits, role: str, *, in_worker: bool = False) -> None:
        super().__init__(confirm_delivery=True, middleware=[Options(), CurrentMessage(), Callbacks(), Pipelines()])
        self._role = role  # who sends, as the broker's console tells it
        self.send_to(url, limits)
        self.in_worker = in_worker  # jobs run in this process, and what is sent outside of one is sent by mistake

    def send_to(self, url: str, limits: Limits) -> None:
        """Where the next connection goes."""
        parameters = pika.URLParameters(url)
        parameters.blocked_connection_timeout = BLOCKED_SECONDS
        parameters.client_properties = client_properties(signature(self._role))
        self.parameters = parameters
        self._limits = limits

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        """Nothing: workers open the ways of their types, and Dramatiq's consumer threads must not consume."""

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        """Send: with the outcome of the job that calls, or through the public door."""
        self.emit_before("enqueue", message, delay)
        parent = current.get(None)
        try:
            self._send(message, delay, parent)
        except Exception as e:  # raised again below; where nobody would see it, the attempt is told
            if parent is not None and not parent.in_function:
                parent.unsent = e  # Dramatiq swallows what a middleware raises: the attempt asks for it
            raise
        self.emit_after("enqueue", message, delay)
        return message

    def flush(self, queue_name: str) -> None:
        raise NotImplementedError("purge a queue in the RabbitMQ console; its open jobs are then sent again")

    def flush_all(self) -> None:
        raise NotImplementedError("purge a queue in the RabbitMQ console; its open jobs are then sent again")

    def join(self, queue_name: str, *_: object, **__: object) -> None:
        raise NotImplementedError("ask GET /api/v1/jobs?state=pending instead")

    def submit(self, envelope: Envelope) -> None:
        """Send through the public door, confirmed; a type that is declared here is checked here."""
        if actor := self.actors.get(envelope.type):
            payloads.check(envelope.payload, job_type(actor, self._limits))
        self._publish(envelope)

    def _send(self, message: dramatiq.Message[Any], delay: int | None, parent: Context | None) -> None:
        envelope = to_envelope(message, self.actors.get(message.actor_name), delay)
        if parent is None:
            self._publish(envelope)
        else:
            # a callback's payload is judged by its own actor: the job that it tells of has ended well
            parent.submit(parent.inner_door.submission(envelope, parent.trace, checked=parent.in_function))

    def _publish(self, envelope: Envelope) -> None:
        assert envelope.id is not None
        with caller.publishing(envelope.type, envelope.id) as trace:
            self._publish_in(trace, envelope)

    def _publish_in(self, trace: dict[str, str], envelope: Envelope) -> None:
        body = to_body(envelope, self._limits.max_body_bytes)
        priority = envelope.priority or self._default_priority(envelope.type)
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPE,
            delivery_mode=2,
            message_id=str(envelope.id),
            type=envelope.type,
            priority=priority,
            app_id="warren",
            headers=trace or None,
        )
        for tries_left in reversed(range(TRIES)):
            try:
                self.channel.basic_publish(PUBLIC, routing_key(envelope.type, priority), body, properties)
            except (pika.exceptions.AMQPConnectionError, pika.exceptions.AMQPChannelError) as e:
                del self.connection  # the same id again: a second copy is recognised
                if not tries_left:
                    raise ConnectionClosed(e) from None  # type: ignore[no-untyped-call]
            else:
                return

    def _default_priority(self, name: str) -> int:
        actor = self.actors.get(name)
        return job_type(actor, self._limits).priority if actor else 5
