"""How a process of Warren signs what it opens: `warren worker host:4711 publisher`.

Whoever looks at the connections of RabbitMQ's console, or at `pg_stat_activity`, sees which process of which host it
is, and what for.  Postgres cuts a name after 63 letters, so the role comes first.
"""

from __future__ import annotations

import os
import socket

from wire.version import VERSION


def signature(role: str, purpose: str = "", *, process: str = "") -> str:
    """`process` is this one's name where it has another than host and number (WARREN_WORKER_ID)."""
    return " ".join(filter(None, ("warren", role, process or f"{socket.gethostname()}:{os.getpid()}", purpose)))


def client_properties(name: str) -> dict[str, str]:
    """What the broker is told of a connection."""
    return {"connection_name": name, "product": "Warren", "version": VERSION}
