"""Which port the gRPC door has: the one that was named; else the one it had, 50051 at first; else one that is free.

So a second Warren on this machine comes up without being told of a port that nobody there thinks of.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from deploy.machine.ports import free_ports

DEFAULT = 50051
FILE = "grpc-port"


class GrpcPort:
    """In one data folder; 0 is no door."""

    def __init__(self, folder: Path, named: int | None) -> None:
        self._file, self._named = folder / FILE, named
        self.port = named or 0

    def choose(self) -> None:
        """Have one, and keep it for the next time."""
        if self._named is None:
            self.port = free_ports(["grpc"], {"grpc": self._kept()})["grpc"]
            self._file.write_text(f"{self.port}\n")

    def environ(self) -> dict[str, str]:
        """What the gateway is told."""
        return {"WARREN_GRPC_PORT": str(self.port)}

    def target(self, url: str) -> str:
        """As clients name it, beside the HTTP door at this address."""
        host = urlsplit(url).netloc.rpartition(":")[0]
        return f"{host}:{self.port}" if self.port else ""

    def _kept(self) -> int:
        try:
            return int(self._file.read_text())
        except (OSError, ValueError):
            return DEFAULT
