"""Publish many messages in one go: written in a few pieces, confirmed in whatever order the broker likes.

One coroutine, one future and one deadline a message are most of what a publish costs, and a bulk of thousands does not
need them.  So this speaks to the library's channel one floor below its `basic_publish`: it takes the next delivery
tags, leaves a note of who waits under each, and writes the frames: to the socket itself when nothing waits before them,
or the library's writer would have to be woken first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Final

import aiormq
from aiormq.abc import ChannelFrame

from wire.message import Outgoing
from wire.rabbitmq.frames import frames_of

PIECE: Final = 100  # messages written at once: to make them holds the loop for a millisecond or two


class Pipeline:
    """One batch on its way over one channel; `confirmed` says of each message whether the broker has it for good."""

    def __init__(
        self, channel: aiormq.Channel, writer: asyncio.StreamWriter, window: asyncio.Semaphore, confirmed: list[bool]
    ) -> None:
        self._channel, self._writer, self._window, self.confirmed = channel, writer, window, confirmed
        self._left = len(confirmed)
        self._over: asyncio.Future[None] = channel.create_future()  # the channel ends it when it is closed
        self._unsent: list[tuple[int, Outgoing]] = []
        self._prepared: tuple[Outgoing, bytes] | None = None

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Return when the broker has spoken of each; an error of the channel's if it was closed before."""
        for number, message in enumerate(messages):
            if self._window.locked() or len(self._unsent) >= PIECE:
                await self._send()  # before the wait: what would make room may be among these
            await self._window.acquire()
            self._unsent.append((number, message))
        await self._send()
        await self._over

    def prepare(self, message: Outgoing) -> Pipeline:
        """Make the frames of the only message, for `begin` to write them or `drop` to forget them."""
        self._prepared = message, self._frames_of(message, int(time.time()))
        return self

    def begin(self) -> bool:
        """Write what was prepared here and now, or nothing at all where it would have to wait; says which."""
        begun = self._is_clear and not self._window.locked() and at_once(self._send_prepared())
        if not begun:
            self.drop()
        return begun

    def drop(self) -> None:
        """Nothing of this will be written."""
        if not self._over.cancel() and not self._over.cancelled():
            self._over.exception()  # of a channel that was closed meanwhile: nobody will ask for it

    async def over(self) -> None:
        """Return when the broker has spoken of what was begun; an error of the channel's if it was closed before."""
        await self._over

    def settle(self, number: int, *, safe: bool) -> None:
        """The broker has spoken of one."""
        self._window.release()
        self.confirmed[number] = safe
        self._left -= 1
        if not self._left and not self._over.done():
            self._over.set_result(None)

    @property
    def _is_clear(self) -> bool:
        """Whether what is written to the socket now comes after all that was given to the library's writer."""
        return self._channel.write_queue.empty() and not (self._channel.is_closed or self._writer.is_closing())

    async def _send_prepared(self) -> None:
        assert self._prepared is not None
        message, frames = self._prepared
        async with self._channel.lock:  # only here it may have to wait, and has left no trace yet
            await self._window.acquire()
            self._note(0, message)
            self._writer.write(frames)

    async def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        if not unsent:
            return
        async with self._channel.lock:  # the broker counts tags in the order of the frames
            frames = self._frames(unsent)
            if self._is_clear:
                self._writer.write(frames)
            else:
                await self._channel.write_queue.put(ChannelFrame(frames, should_close=False))

    def _frames(self, unsent: Sequence[tuple[int, Outgoing]]) -> bytes:
        """The frames of these, which have their tags and their notes from here on."""
        seconds, frames = int(time.time()), []
        for number, message in unsent:
            frames.append(self._frames_of(message, seconds))
            self._note(number, message)
        return b"".join(frames)

    def _frames_of(self, message: Outgoing, seconds: int) -> bytes:
        return frames_of(message, self._channel.number, seconds, self._channel.max_content_size)

    def _note(self, number: int, message: Outgoing) -> None:
        """It is the next to be written."""
        channel = self._channel
        channel.delivery_tag += 1
        tag, tags = channel.delivery_tag, channel.message_id_delivery_tag
        tags[message.message_id] = tag  # for what is given back
        note: object = _Note(self, number, (message.message_id, tag), tags)
        channel.confirmations[tag] = note  # type: ignore[assignment]


class _Note:
    """Who waits for a delivery tag; the library takes it for a future."""

    __slots__ = ("_batch", "_name", "_number", "_tags")

    def __init__(self, batch: Pipeline, number: int, name: tuple[str, int], tags: dict[str, int]) -> None:
        self._batch, self._number, self._name, self._tags = batch, number, name, tags

    def done(self) -> bool:
        return False

    def set_result(self, word: object) -> None:
        self._settle(safe=isinstance(word, aiormq.spec.Basic.Ack))

    def set_exception(self, _: BaseException) -> None:
        self._settle(safe=False)

    def _settle(self, *, safe: bool) -> None:
        message_id, tag = self._name
        if self._tags.get(message_id) == tag:  # else a copy of the message has followed
            del self._tags[message_id]
        self._batch.settle(self._number, safe=safe)


def at_once(waiting: Coroutine[object, object, object]) -> bool:
    """Whether this has nothing to wait for; it is done then, and else given up."""
    try:
        waiting.send(None)
    except StopIteration:
        return True
    finally:
        waiting.close()
    return False
