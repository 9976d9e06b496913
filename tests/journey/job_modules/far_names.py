"""Loaded by workers whose world ends at this machine: what is printed in examples has a public address, as it does."""

from __future__ import annotations

import socket
from typing import Any

ADDRESSES = {"example.com": "93.184.216.34", "httpbin.org": "54.157.63.211"}
_ask = socket.getaddrinfo


def _known(host: Any, port: Any, *said: Any, **more: Any) -> Any:
    return _ask(ADDRESSES.get(host, host), port, *said, **more)


socket.getaddrinfo = _known
