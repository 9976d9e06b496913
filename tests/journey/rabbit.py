"""RabbitMQ as a foreign service and as an onlooker sees it: publish, count, list the consumers, cut connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
import urllib.error
import uuid
from typing import Any
from urllib.parse import quote

import pika

from deploy.servers.rabbitmq import manage


class Rabbit:
    """One vhost; nothing of Warren's own client is used."""

    def __init__(self, amqp_url: str, management_url: str, vhost: str) -> None:
        self._amqp_url, self._management_url, self._vhost = amqp_url, management_url, quote(vhost, safe="")

    async def publish(self, exchange: str, routing_key: str, body: bytes, **properties: Any) -> None:
        """Publish with these properties and no others."""
        await asyncio.to_thread(self._publish, exchange, routing_key, body, properties)

    async def preload(self, job_type: str, payload: dict[str, Any], count: int, priority: int = 5) -> list[str]:
        """Put so many jobs through the public door in one go; their ids."""
        ids = [str(uuid.uuid4()) for _ in range(count)]
        body = json.dumps({"type": job_type, "payload": payload, "priority": priority}).encode()
        await asyncio.to_thread(self._preload, job_type, body, priority, ids)
        return ids

    async def publish_all(self, queue: str, bodies: list[bytes]) -> None:
        """Put these straight into a queue."""
        await asyncio.to_thread(self._publish_all, queue, bodies)

    async def connections(self) -> dict[str, str]:
        """Each connection's name with the product that it says it is."""
        found = await self._manage("GET", f"vhosts/{self._vhost}/connections")
        said = [connection.get("client_properties", {}) for connection in found]
        return {str(one.get("connection_name")): str(one.get("product")) for one in said}

    async def consumer_tags(self) -> list[str]:
        return [str(one["consumer_tag"]) for one in await self._manage("GET", f"consumers/{self._vhost}")]

    async def ready(self, queue: str) -> int:
        """Messages in a queue that no consumer holds, at this moment."""
        return await asyncio.to_thread(self._ready, queue)

    async def declare(self, queue: str) -> None:
        """A durable queue of the foreign service's own."""
        await self._manage("PUT", f"queues/{self._vhost}/{quote(queue, safe='')}", {"durable": True})

    async def delete_queue(self, queue: str) -> None:
        await self._manage("DELETE", f"queues/{self._vhost}/{quote(queue, safe='')}")

    async def purge(self, queue: str) -> int:
        """Throw away what is ready in a queue, as an operator can; says how many messages that were."""
        return await asyncio.to_thread(self._purge, queue)

    async def unacked(self, queue: str) -> int:
        """Messages that consumers hold; fresh within the broker's statistics interval of 5 s."""
        found = await self._manage("GET", f"queues/{self._vhost}/{quote(queue, safe='')}")
        return int(found.get("messages_unacknowledged", 0))

    async def prefetches(self, queue: str) -> list[int]:
        """The windows of a queue's consumers."""
        found = await self._manage("GET", f"consumers/{self._vhost}")
        return sorted(c["prefetch_count"] for c in found if c["queue"]["name"] == queue)

    async def ways(self, key: str) -> list[tuple[str, str]]:
        """All (source, target) of the bindings whose key ends so."""
        found = await self._manage("GET", f"bindings/{self._vhost}")
        return [(b["source"], b["destination"]) for b in found if b["routing_key"].endswith(key)]

    async def cut_connections(self) -> int:
        """Close all of this vhost, as an operator can; says how many."""
        found = await self._manage("GET", f"vhosts/{self._vhost}/connections")
        for connection in found:
            with contextlib.suppress(urllib.error.HTTPError):  # 404: it went between the list and now
                await self._manage("DELETE", f"connections/{quote(connection['name'], safe='')}")
        return len(found)

    async def connection_names(self) -> list[str]:
        """As its console shows them, a few seconds after they came."""
        found = await self._manage("GET", f"vhosts/{self._vhost}/connections")
        return [str(one.get("client_properties", {}).get("connection_name", "")) for one in found]

    async def _manage(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        answer = await asyncio.to_thread(manage, self._management_url, method, path, body)
        return json.loads(answer) if answer else None

    def _publish(self, exchange: str, routing_key: str, body: bytes, properties: dict[str, Any]) -> None:
        with pika.BlockingConnection(pika.URLParameters(self._amqp_url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish(exchange, routing_key, body, pika.BasicProperties(**properties), mandatory=False)

    def _preload(self, job_type: str, body: bytes, priority: int, ids: list[str]) -> None:
        with pika.BlockingConnection(pika.URLParameters(self._amqp_url)) as connection:
            channel = connection.channel()
            said = pika.BasicProperties(
                content_type="application/json", type=job_type, priority=priority, delivery_mode=2
            )
            for said.message_id in ids:
                channel.basic_publish("jobs.in", f"job.{job_type}.p{priority}", body, said)

    def _publish_all(self, queue: str, bodies: list[bytes]) -> None:
        with pika.BlockingConnection(pika.URLParameters(self._amqp_url)) as connection:
            channel = connection.channel()
            for body in bodies:
                channel.basic_publish("", queue, body)

    def _purge(self, queue: str) -> int:
        with pika.BlockingConnection(pika.URLParameters(self._amqp_url)) as connection:
            return int(connection.channel().queue_purge(queue).method.message_count)

    def _ready(self, queue: str) -> int:
        with pika.BlockingConnection(pika.URLParameters(self._amqp_url)) as connection:
            declared = connection.channel().queue_declare(queue, passive=True)
            return int(declared.method.message_count)
