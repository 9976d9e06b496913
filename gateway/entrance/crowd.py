"""Bound the connections: one that is idle makes room for a newcomer; where none is, the newcomer is turned away.

Without a bound, whoever opens connections and says nothing takes the last file descriptor, and the gateway can neither
be asked for its health nor reach its stores.  Those who keep a connection open for later open a new one as after any
idle time.  Knows no HTTP.
"""

from __future__ import annotations

import resource
from typing import Final, Protocol

import structlog

log = structlog.get_logger()

MOST: Final = 10_000  # about 13 kB each
RESERVED: Final = 128  # files for the stores, the log and the pages
ROOM_AGAIN: Final = 0.9


class Guest(Protocol):
    """A connection."""

    @property
    def idle(self) -> bool: ...

    def force_close(self) -> None: ...


class Crowd:
    """All connections, in the order in which they came."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._guests: dict[Guest, None] = {}
        self._full = False

    def admits(self, guest: Guest) -> bool:
        """Whether it may stay; perhaps another had to go for it."""
        if len(self._guests) >= self._most and not self._send_one_away():
            return False
        self._guests[guest] = None
        return True

    def leave(self, guest: Guest) -> None:
        self._guests.pop(guest, None)
        if self._full and len(self._guests) < self._most * ROOM_AGAIN:
            self._full = False
            log.info("connections_have_room", connections=len(self._guests))

    def _send_one_away(self) -> bool:
        if not self._full:
            self._full = True
            log.warning("connections_full", connections=self._most)
        oldest_idle = next((guest for guest in self._guests if guest.idle), None)
        if oldest_idle is None:
            return False
        del self._guests[oldest_idle]
        oldest_idle.force_close()
        return True


def most_connections() -> int:
    """As many as this process may have; its soft limit of open files is raised for them up to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + RESERVED
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft - RESERVED))
