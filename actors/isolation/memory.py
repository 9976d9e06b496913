"""How much memory a process and what it has started hold, as Linux counts it.

Counted is what is theirs alone: neither the libraries, which all processes share, nor files that are merely mapped and
go back to the disk when room is needed.  Elsewhere nothing is known, and nothing is counted.
"""

from __future__ import annotations

import os
from typing import Final

OWN: Final = (b"RssAnon:", b"RssShmem:", b"VmSwap:")
MOST_PROCESSES: Final = 1_000  # that are looked at
MOST_BYTES: Final = 65_536  # of a file there


def taken(pid: int) -> int:
    """Bytes, of this process and all below it; 0 for one that is gone."""
    return sum(own(one) for one in family(pid))


def own(pid: int) -> int:
    """Bytes, of this process alone."""
    return sum(
        int(line.split()[1]) * 1024 for line in _read(f"/proc/{pid}/status").splitlines() if line.startswith(OWN)
    )


def family(pid: int) -> list[int]:
    """This process and those that it has started, and they; asked of each of its threads, which may be many."""
    found = [pid]
    for one in found:
        found += _started_by(one)
        if len(found) > MOST_PROCESSES:
            break
    return found


def _started_by(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [int(one) for thread in threads for one in _read(f"/proc/{pid}/task/{thread}/children").split()]


def _read(path: str) -> bytes:
    """At once and by the shortest way: it is asked many times a second, on the worker's loop."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, MOST_BYTES)
    except OSError:
        return b""  # it has just ended
    finally:
        os.close(descriptor)
