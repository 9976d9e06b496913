"""Submit for some seconds and print the rate: `python tests/room/gateway/submission_rate.py http://127.0.0.1:8000`.

Plain sockets, kept open, one request at a time on each: an HTTP library would take more of the machine than the
gateway does.  A benchmark with a printed budget, not a gate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from urllib.parse import urlsplit

import uvloop

BUDGET_PER_SECOND = 1_500  # one process, two cores shared with both stores, 32 connections
BODY = json.dumps({"type": "echo", "payload": {"message": "a message of usual length, such as this"}}).encode()


async def main(url: str, connections: int, seconds: float, key: str) -> None:
    place = urlsplit(url)
    headers = (
        f"Host: {place.netloc}\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\nX-API-Key: {key}"
    )
    request = f"POST /api/v1/jobs HTTP/1.1\r\n{headers}\r\n\r\n".encode() + BODY
    until = time.monotonic() + seconds
    lines = [submit(str(place.hostname), place.port or 80, request, until) for _ in range(connections)]
    took = sorted(t for line in await asyncio.gather(*lines) for t in line)
    rate = len(took) / seconds
    p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.50, 0.99))
    verdict = "within" if rate >= BUDGET_PER_SECOND else "BELOW"
    print(
        f"{rate:,.0f} submissions/s, {verdict} the budget of {BUDGET_PER_SECOND:,}; p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    )


async def submit(host: str, port: int, request: bytes, until: float) -> list[float]:
    """Requests one after the other; the time that each took."""
    reader, writer = await asyncio.open_connection(host, port)
    took: list[float] = []
    while (started := time.monotonic()) < until:
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 202"), answer
        at = answer.index(b"Content-Length: ") + 16
        await reader.readexactly(int(answer[at : answer.index(b"\r", at)]))
        took.append(time.monotonic() - started)
    writer.close()
    return took


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--key", default="")
    given = parser.parse_args()
    uvloop.run(main(given.url, given.connections, given.seconds, given.key))
