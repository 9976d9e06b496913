"""The public sites whose addresses are printed in examples, for a test that may not leave this machine.

The workers ask for their names as ever (job_modules/far_names.py answers with a public address), judge the address, and
go by the proxy that is configured; that one is ours, and ends the connection here.  All else is the real way: TLS with
a certificate that is verified, robots.txt, HTTP.
"""

from __future__ import annotations

import asyncio
import json
import queue
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.certificates import FILE, certified

NAMES = ("example.com", "httpbin.org")
Pages = Mapping[tuple[str, str], tuple[str, bytes]]  # by host and path: content type and body


class FarAway:
    """A proxy, and behind it these pages; `asked` is what they were asked for."""

    def __init__(self, folder: Path, pages: Pages) -> None:
        self._tls, _ = certified(folder, *NAMES)
        self.certificates, self._pages = folder / FILE, pages
        self.proxy, self.asked = "", list[str]()

    def environment(self) -> dict[str, str]:
        """By which workers get here; they also have to load `far_names`."""
        return {"WARREN_OUTBOUND_PROXY": self.proxy, "SSL_CERT_FILE": str(self.certificates)}

    async def serve(self, up: Callable[[Callable[[], object]], object]) -> None:
        """Until it is told to stop, by what `up` is given."""
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        up(lambda: loop.call_soon_threadsafe(stop.set))
        await stop.wait()
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, ssl.SSLError, asyncio.CancelledError):
            target = (await reader.readuntil(b"\r\n\r\n")).split()[1]
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            if target.endswith(b":443"):
                await writer.start_tls(self._tls)
            while True:
                writer.write(self._answer((await reader.readuntil(b"\r\n\r\n")).decode("latin-1")))
                await writer.drain()
        writer.close()

    def _answer(self, head: str) -> bytes:
        first, *lines = head.split("\r\n")
        host = next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("host:"))
        path = first.split()[1]
        self.asked.append(f"{host}{path}")
        status, (kind, body) = "200 OK", self._pages.get((host, path), ("", b""))
        if not kind:
            status, kind, body = "404 Not Found", "text/plain", b"nothing here"
        return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def far_away(folder: Path, pages: Pages) -> Iterator[FarAway]:
    """On a thread of its own, while the test waits for whoever asks."""
    one, stops = FarAway(folder, pages), queue.SimpleQueue[Callable[[], object]]()
    thread = threading.Thread(target=lambda: asyncio.run(one.serve(stops.put)), name="far away")
    thread.start()
    stop = stops.get(timeout=10)
    try:
        yield one
    finally:
        stop()
        thread.join()


def told(**said: object) -> tuple[str, bytes]:
    return "application/json", json.dumps(said).encode()
