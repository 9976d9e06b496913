"""Cancel, retry and delete a batch: what people do to all its jobs at once.

The order is written down, begun here for a moment and carried on with by the scheduler, so that the answer does not
wait for a hundred thousand jobs; it says how the batch stands by then.
"""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web

from gateway import answers
from gateway.answers.batches import BATCHES
from gateway.entrance import query
from gateway.entrance.problems import Refusal
from gateway.rest.batches import existing
from gateway.rest.respond import respond
from gateway.submitting.batches import Batches, no_batch
from gateway.submitting.orders import Orders
from persistence.batches import batch_orders
from persistence.batches.batch_orders import Do, Order
from persistence.store.database import Database
from wire.errors import Refused
from wire.states import State

RETRYABLE: Final = (State.FAILED, State.CANCELLED, State.EXPIRED)


class BatchActions:
    """The routes that change a batch with all its jobs."""

    def __init__(self, made: Batches, orders: Orders, database: Database) -> None:
        self._made, self._orders, self._database = made, orders, database

    def routes(self) -> list[web.RouteDef]:
        one = BATCHES + "/{id}"
        return [
            web.post(one + "/cancel", self.cancel),
            web.post(one + "/retry", self.retry),
            web.delete(one, self.delete),
        ]

    async def cancel(self, request: web.Request) -> web.Response:
        """202: what waits is cancelled, what runs is asked to end."""
        batch_id = query.job_id(request)
        query.read(request, {})
        order = await batch_orders.give(self._database, Do.CANCEL, batch_id)
        if order is None:
            batch = await existing(self._database, batch_id)
            if batch.state != "cancelled":
                raise Refusal("wrong_state", f"batch {batch_id} is {batch.state} already", field="id")
            return respond(answers.batches.batch(batch))
        self._made.closed(batch_id)
        return await self._begun(order)

    async def retry(self, request: web.Request) -> web.Response:
        """202: what has failed waits again."""
        batch_id = query.job_id(request)
        states = query.read(request, {"state": _retried}).get("state", (State.FAILED,))
        counts = (await existing(self._database, batch_id)).counts
        if not any(getattr(counts, state.value) for state in states):
            what = " or ".join(state.value for state in states)
            remedy = "say with `state` which jobs are meant: failed, cancelled, expired or all"
            raise Refusal("wrong_state", f"no job of batch {batch_id} is {what}", field="state", remedy=remedy)
        order = await batch_orders.give(self._database, Do.RETRY, batch_id, states)
        if order is None:
            raise no_batch(batch_id)
        return await self._begun(order)

    async def delete(self, request: web.Request) -> web.Response:
        """204 when it had ended and is gone, 202 when it lived and is being cancelled."""
        batch_id = query.job_id(request)
        query.read(request, {})
        order = await batch_orders.give(self._database, Do.DELETE, batch_id)
        if order is None:
            await existing(self._database, batch_id)
            return await self.cancel(request)
        await self._orders.begin(order)
        return web.Response(status=204)

    async def _begun(self, order: Order) -> web.Response:
        await self._orders.begin(order)
        answer = answers.batches.batch(await existing(self._database, order.batch_id))
        return respond(answer, 202, {hdrs.LOCATION: answer.links.this})


def _retried(name: str, value: str) -> tuple[State, ...]:
    words = {state.value: (state,) for state in RETRYABLE} | {"all": RETRYABLE}
    if value not in words:
        raise Refused(name, f"{value[:60]!r} cannot be sent again", f"use one of {', '.join(words)}")
    return words[value]
