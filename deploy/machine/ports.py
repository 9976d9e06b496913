"""Free ports, and who holds one that is not free.

Ports are drawn below the range from which the kernel takes the source ports of outgoing connections: a port that
the kernel hands out by `bind(0)` may be somebody's source port by the time a server listens on it.

A port that was drawn is kept until this process ends: a socket is bound to it and never listens.  A server needs
seconds until it listens, and whoever draws a port meanwhile, in any process, would find it free.  The server may bind
beside that socket, since both say SO_REUSEADDR and only one listens.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOW, HIGH = 20000, 32000
LOOPBACK = "127.0.0.1"


class NoFreePort(Exception):
    pass


def free_port(taken: set[int] | frozenset[int] = frozenset()) -> int:
    for _ in range(200):
        port = random.randrange(LOW, HIGH)  # noqa: S311 - a place, not a secret
        if port not in taken and _keep(port):
            return port
    raise NoFreePort(f"no free port between {LOW} and {HIGH} on {LOOPBACK} after 200 attempts")


def free_ports(names: list[str], wanted: dict[str, int]) -> dict[str, int]:
    """A port for each name: the one wanted while it is free (addresses stay over a restart), else a new one."""
    chosen: dict[str, int] = {}
    for name in names:
        port = wanted.get(name, 0)
        usable = port and port not in chosen.values() and is_free(port)
        chosen[name] = port if usable else free_port({*chosen.values(), *wanted.values()})
    return chosen


def _keep(port: int) -> bool:
    """Whether nobody has it, not even bound to it; it is ours then."""
    mine = socket.socket(socket.AF_INET)
    try:
        mine.bind((LOOPBACK, port))  # without SO_REUSEADDR: refused where somebody keeps it
    except OSError:
        mine.close()
        return False
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    mine.detach()  # open until the end of this process, and nobody is told that it was forgotten
    return True


def is_free(port: int, host: str = LOOPBACK) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed server's TIME_WAIT is not a holder
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def listener(port: int) -> tuple[int, str] | None:
    """Number and name of the process that listens on a port, as far as this user may see."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(link.readlink().name in inodes for link in folder.iterdir()):
                return int(folder.parent.name), (folder.parent / "comm").read_text().strip()
        except OSError:
            continue
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return inodes
