"""The worker, as its child process sees it: one socket, heard by a thread and spoken to by whichever thread has a word.

A function that computes holds up its own loop, and the thread hears nevertheless that it should stop, and that the
worker is gone: then everything in this process's group ends at once, what the function has started as well.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import msgspec

from actors.isolation.frames import framed, received
from actors.isolation.raised import rebuilt
from actors.isolation.said import Answer, Leave, More, Run, Stop, ToChild, to_child

T = TypeVar("T")


class Parent:
    """One a process."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket, self._saying = connection, threading.Lock()
        self._runs: SimpleQueue[Run | None] = SimpleQueue()
        self._calls: dict[int, tuple[Future[Any], type[Any]]] = {}
        self._wanted: dict[int, threading.Semaphore] = {}  # pieces of what is being saved
        self._numbers = count(1)
        self.stopped: Callable[[int], None] = lambda _: None

    def start(self) -> None:
        threading.Thread(target=self._hear, name="worker", daemon=True).start()

    def next_run(self) -> Run | None:
        """The next attempt; None if there will be no other."""
        return self._runs.get()

    def say(self, message: msgspec.Struct) -> None:
        body = framed(message)
        with self._saying:
            try:
                self._socket.sendall(body)
            except OSError:
                end_all()

    def ask(self, question: Callable[[int], msgspec.Struct], answer: type[T]) -> Future[T]:
        """Put a question, which is made with its number; the future has its answer."""
        call, coming = self.expect(answer)
        self.say(question(call))
        return coming

    def expect(self, answer: type[T]) -> tuple[int, Future[T]]:
        """The number of a question that is about to be put."""
        call, coming = next(self._numbers), Future[T]()
        self._wanted[call] = threading.Semaphore(0)
        self._calls[call] = (coming, answer)
        return call, coming

    def wanted(self, call: int) -> bool:
        """Wait until the next piece is asked for; False if none will be."""
        asked = self._wanted.get(call)
        return asked is not None and asked.acquire() and call in self._calls

    def forget(self, call: int) -> None:
        """Nobody waits for the answer any more."""
        self._calls.pop(call, None)
        if asked := self._wanted.pop(call, None):
            asked.release()

    def _hear(self) -> None:
        while body := received(self._socket):
            self._heard(to_child(body))
        end_all()

    def _heard(self, said: ToChild) -> None:
        match said:
            case Run():
                self._runs.put(said)
            case Leave():
                self._runs.put(None)
            case Stop(number):
                self.stopped(number)
            case More(_, call):
                if asked := self._wanted.get(call):
                    asked.release()
            case Answer():
                self._answered(said)

    def _answered(self, said: Answer) -> None:
        coming, kind = self._calls.get(said.call, (None, None))
        self.forget(said.call)
        if coming is None or not coming.set_running_or_notify_cancel():
            return
        if said.error is not None:
            coming.set_exception(rebuilt(said.error))
        else:
            coming.set_result(_decoded(said.value, kind))


def _decoded(value: msgspec.Raw, kind: type[Any] | None) -> Any:
    return Path(msgspec.msgpack.decode(value, type=str)) if kind is Path else msgspec.msgpack.decode(value, type=kind)


def end_all() -> None:
    """The worker is gone: nobody wants what is done here."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(os.EX_UNAVAILABLE)
