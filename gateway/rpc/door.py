"""The door that every call passes: its id, who sends it, its span, its one line in the log, its figures.

Whatever is raised behind it becomes a status here, and nowhere else.  Messages are taken and given as bytes: what gRPC
would do about one that it cannot read is a stack trace in the log and an `INTERNAL` for a fault of the caller's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import grpc
import structlog
from google.protobuf.message import Message
from grpc import StatusCode

from gateway.entrance.access import Access
from gateway.entrance.door import decent_id, unavailable
from gateway.entrance.problems import Refusal
from gateway.rpc import spans, statuses
from gateway.rpc.requests import in_their_words, read
from wire.errors import Refused, Unavailable
from wire.lifecycle import ended
from wire.metrics import table as metrics
from wire.tracing import Trace

log = structlog.get_logger()

ID: Final = "x-request-id"
LAST_SECONDS: Final = 10.0  # what a caller began who has gone: longer than a deadline of the database and of the broker

M = TypeVar("M", bound=Message)


@dataclass(slots=True)
class Call:
    """Who calls, in which trace; and whether he has gone."""

    caller: str
    trace: Trace
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Method(Generic[M]):
    """What can be called; `open` to callers without a key."""

    name: str
    asks: type[M]
    do: Callable[[M, Call], Awaitable[Message]]
    open: bool = False
    quiet: bool = False  # the look of a machine, every few seconds: no span


class Door:
    """Makes handlers for gRPC of methods."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._under_way: set[asyncio.Task[Any]] = set()

    def service(self, name: str, *methods: Method[Any], **others: Any) -> grpc.GenericRpcHandler:
        """A service of these, and of handlers that somebody else has made."""
        made = {method.name: self._unary(f"{name}/{method.name}", method) for method in methods}
        return grpc.method_handlers_generic_handler(name, made | others)

    async def stop(self) -> None:
        """Return when what was begun for callers who have gone is done."""
        for task in list(self._under_way):
            await ended(task, LAST_SECONDS)

    def _unary(self, path: str, method: Method[M]) -> Any:
        async def pass_through(raw: bytes, context: Any) -> bytes:
            started = time.perf_counter()
            headers = _headers(context)
            request_id = decent_id(headers.get(ID, ""))
            structlog.contextvars.bind_contextvars(request_id=request_id)  # each call runs in a context of its own
            served = None if method.quiet else spans.serve(headers)
            call = Call("", spans.trace_of(served, headers))
            code = StatusCode.CANCELLED
            try:
                answer = await self._carried_through(self._answered(method, raw, headers, call, path), call)
                code = statuses.told(answer, request_id).code if isinstance(answer, Refusal) else StatusCode.OK
            finally:
                if served is not None:
                    spans.ended(served, path, code, headers.get("user-agent", ""))
                _note(path, code, time.perf_counter() - started)
            context.set_trailing_metadata(((ID, request_id),))
            if isinstance(answer, Refusal):
                told = statuses.told(answer, request_id)
                await context.abort(told.code, told.sentence, ((ID, request_id), *told.trailers))
                raise AssertionError  # abort has raised
            return answer

        return grpc.unary_unary_rpc_method_handler(pass_through)

    async def _carried_through(self, work: Any, call: Call) -> bytes | Refusal:
        """What comes of it; gRPC ends a call whose caller has gone, and half of what it does must not be left."""
        task: asyncio.Task[bytes | Refusal] = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            call.gone = True
            raise

    async def _answered(
        self, method: Method[M], raw: bytes, headers: Mapping[str, str], call: Call, path: str
    ) -> bytes | Refusal:
        try:
            if not method.open:
                call.caller = self._access.admit_call(headers)
            answer = await method.do(read(method.asks, raw), call)
            encoded: bytes = answer.SerializeToString()
            return encoded
        except Refusal as e:
            return e
        except Refused as e:
            return Refusal.of(in_their_words(e))
        except Unavailable as e:
            log.warning("store_away", error=str(e))
            return unavailable()
        except Exception:  # the edge of the process: nothing was accepted, or the outbox has it; the caller asks again
            log.exception("call_failed", method=path)
            return Refusal("internal", "the call failed")


def _headers(context: Any) -> Mapping[str, str]:
    return {name: said for name, said in context.invocation_metadata() or () if isinstance(said, str)}


def _note(path: str, code: StatusCode, seconds: float) -> None:
    metrics.CALLS.add(path, code.name)
    metrics.CALL_SECONDS.observe(seconds, path)
    log.info("call", method=path, code=code.name, ms=round(seconds * 1000, 1))
