"""Send Dramatiq's signals around an actor to the middlewares that heed them.

Dramatiq calls every middleware at every signal, and most have inherited a method that does nothing; who heeds what is
found out once here.  The order is Dramatiq's, and so is what becomes of an exception: before the actor a middleware's
own kind fails the attempt and any other is logged, after it all are logged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import dramatiq
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Callbacks, CurrentMessage, Middleware, MiddlewareError, Pipelines

BEFORE, AFTER, SKIPPED = "before_process_message", "after_process_message", "after_skip_message"
FOLLOW: Final = (Callbacks, Pipelines)  # they send what the message's or the actor's options name, and else do nothing
QUICK: Final = (CurrentMessage, *FOLLOW)  # what they send is kept in memory until the outcome is recorded

Heed = Callable[..., Any]


def may_block(middleware: Middleware) -> bool:
    """Whether it does something around an actor that we do not know to be quick."""
    return type(middleware) not in QUICK and any(_heeds(middleware, signal) for signal in (BEFORE, AFTER, SKIPPED))


class Signals:
    """Of one broker; its middlewares may still grow."""

    def __init__(self, broker: dramatiq.Broker) -> None:
        self._broker, self._known = broker, -1
        self._before: list[Heed] = []
        self._after: list[Heed] = []
        self._after_plain: list[Heed] = []

    def before(self, message: MessageProxy) -> None:
        """Raises what a middleware raises to skip or to fail the message."""
        if len(self._broker.middleware) != self._known:
            self._look()
        for heed in self._before:
            try:
                heed(self._broker, message)
            except MiddlewareError:
                raise
            except Exception:  # noqa: BLE001 - Dramatiq's word: a middleware's own fault does not fail the job
                self._tell(BEFORE, heed)

    def after(
        self, message: MessageProxy, *, result: object, exception: BaseException | None, plain: bool = False
    ) -> None:
        """Of a plain one neither its own options nor its actor's say that anything follows."""
        for heed in self._after_plain if plain else self._after:
            try:
                heed(self._broker, message, result=result, exception=exception)
            except Exception:  # noqa: BLE001 - the same
                self._tell(AFTER, heed)

    def skipped(self, message: MessageProxy) -> None:
        self._broker.emit_after("skip_message", message)

    def _look(self) -> None:
        middlewares = list(self._broker.middleware)
        self._before = [getattr(one, BEFORE) for one in middlewares if _heeds(one, BEFORE)]
        after = [one for one in reversed(middlewares) if _heeds(one, AFTER)]
        self._after = [getattr(one, AFTER) for one in after]
        self._after_plain = [getattr(one, AFTER) for one in after if type(one) not in FOLLOW]
        self._known = len(middlewares)  # last: the jobs of other threads ask for it, and then take these lists

    def _tell(self, signal: str, heed: Heed) -> None:
        middleware = getattr(heed, "__self__", heed)
        self._broker.logger.critical("Unexpected failure in %s of %r.", signal, middleware, exc_info=True)


def _heeds(middleware: Middleware, signal: str) -> bool:
    """Whether it has a method of its own for that signal."""
    method = getattr(middleware, signal, None)
    return method is not None and getattr(method, "__func__", None) is not getattr(Middleware, signal)
