"""Submit jobs over HTTP until each is answered 202: `python -m deploy.proof.submit HOST PORT`; see producer.py.

A client as one would write it against an API that may go away: many connections, a deadline on each request, and the
same id when it has to send a job again, so that two arrivals are one job.  By hand on asyncio's streams, because the
client shares two cores with all that is on trial.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from dataclasses import dataclass

from deploy.proof.producer import ACCEPTED, AGAIN, ODD

CONNECTIONS = 32
SAFE = (202, 200)  # 200: an earlier try of ours, whose answer was lost
DEADLINE_SECONDS = 15.0
PAUSE_SECONDS = 0.2  # before a job is sent again
TYPE = "witnessed"


@dataclass(slots=True)
class Line:
    """One kept connection, opened when it is needed."""

    host: str
    port: int
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def post(self, body: bytes) -> int:
        """The status of the answer; a broken connection is an OSError or an EOFError."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        assert self.reader is not None
        self.writer.write(self._head(len(body)) + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(lines[0].split()[1])

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    def _head(self, length: int) -> bytes:
        said = f"POST /api/v1/jobs HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
        return f"{said}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


def say(word: str, rest: str = "") -> None:
    sys.stdout.write(f"{word} {rest}\n")
    sys.stdout.flush()


async def submit(line: Line, job: str) -> None:
    """Return when it was accepted."""
    body = json.dumps({"type": TYPE, "id": job, "payload": {"job": job}}).encode()
    while not await accepted(line, body):
        say(AGAIN)
        await asyncio.sleep(PAUSE_SECONDS)
    say(ACCEPTED, job)


async def accepted(line: Line, body: bytes) -> bool:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            status = await line.post(body)
    except (OSError, EOFError):  # away, or cut in the middle of an answer; a TimeoutError is an OSError
        line.close()
        return False
    if status not in (*SAFE, 503):
        say(ODD, f"HTTP {status}")
    return status in SAFE


async def work(line: Line, wanted: asyncio.Semaphore) -> None:
    while True:
        await wanted.acquire()
        await submit(line, str(uuid.uuid4()))


async def main(host: str, port: int) -> None:
    wanted = asyncio.Semaphore(0)
    workers = [asyncio.ensure_future(work(Line(host, port), wanted)) for _ in range(CONNECTIONS)]
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async for order in orders:
        for _ in range(int(order)):
            wanted.release()
    for worker in workers:  # nobody listens any more
        worker.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
