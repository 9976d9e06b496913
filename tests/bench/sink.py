"""A collector that keeps what it is sent and does nothing with it: `python -m tests.bench.sink`.

It prints its port, and for each line on its standard input how many spans have come since the last.  They are counted
then, and not as they come: a real collector works on another machine.
"""

from __future__ import annotations

import asyncio
import sys

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"


async def main() -> None:
    kept: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                kept.append(await reader.readexactly(int(size.partition(b":")[2])))
                writer.write(ANSWER)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, limit=1 << 22)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        requests = [ExportTraceServiceRequest.FromString(body) for body in kept]
        kept.clear()
        print(sum(len(s.spans) for r in requests for b in r.resource_spans for s in b.scope_spans), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
