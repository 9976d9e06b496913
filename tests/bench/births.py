"""How fast a foreign publisher may be: `python -m tests.bench.births [--jobs 30000] [--rate 5500]`.

Servers of its own, two worker processes that drain meanwhile, one publisher on one connection that keeps to a rate a
little above the bar.  It puts its frames together by hand: to use a client library in Python would take a third of a
core, which is not ours to count.  The lag of a birth is from just before its publish to its row's `created_at`; each
body says when it was sent.  The rate is that of the births from the first publish to the last birth, so that a backlog
that is left for later counts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pamqp import base, commands, frame

from tests.bench.computed import computed, micros_a_job
from tests.bench.figure import Figure, tell
from tests.bench.stage import stage
from tests.journey.api import sql
from tests.journey.stack import Stack

JOBS, RATE = 30_000, 5_500
PER_SECOND, LAG_SECONDS = 5_000, 1.0
CHANNEL, CHANNELS, LARGEST_FRAME = 1, 2_047, 131_072
PUBLISH = frame.marshal(commands.Basic.Publish(exchange="jobs.in", routing_key="job.echo.p5"), CHANNEL)
SAID = struct.pack(">H", 1 << 15 | 1 << 12 | 1 << 7) + b"\x10application/json\x02"  # and the message_id behind it
TICK_SECONDS, LOOK_SECONDS = 0.02, 0.25
DONE = "SELECT count(*) AS done FROM warren.jobs WHERE state = 'completed'"
LAGS = """
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY lag) AS lags,
       extract(epoch FROM max(created_at)) - min(sent) AS took, max(sent) - min(sent) AS sending
  FROM (SELECT created_at, extract(epoch FROM created_at) - sent AS lag, sent
          FROM warren.jobs CROSS JOIN LATERAL (SELECT (convert_from(body, 'UTF8')::json ->> 'x_sent')::float8 AS sent) s
         WHERE sent IS NOT NULL) jobs
"""


def publish(url: str, jobs: int, rate: float) -> None:
    """So many echoes at this rate, on one connection; returns when the broker has taken all of them."""
    with connected(url) as line:
        began, sent = time.monotonic(), 0
        while sent < jobs:
            due = min(jobs, int((time.monotonic() - began + TICK_SECONDS) * rate))
            line.sendall(b"".join(echo() for _ in range(due - sent)))
            sent = due
            time.sleep(TICK_SECONDS)


def echo() -> bytes:
    """A durable message, as its frames."""
    body = b'{"type":"echo","payload":{"message":"hello"},"x_sent":%.6f}' % time.time()
    said = SAID + b"%c%s" % (36, str(uuid.uuid4()).encode())
    return PUBLISH + framed(2, struct.pack(">HHQ", 60, 0, len(body)) + said) + framed(3, body)


def framed(kind: int, content: bytes) -> bytes:
    return struct.pack(">BHI", kind, CHANNEL, len(content)) + content + b"\xce"


@contextlib.contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """A connection with one channel open on it."""
    place = urlsplit(url)
    login = "\0".join(("", unquote(place.username or "guest"), unquote(place.password or "guest")))
    with socket.create_connection((place.hostname or "localhost", place.port or 5672), timeout=30) as line:
        line.sendall(b"AMQP\0\0\x09\x01")
        heard(line)
        asked(line, commands.Connection.StartOk({}, "PLAIN", login))
        line.sendall(frame.marshal(commands.Connection.TuneOk(CHANNELS, LARGEST_FRAME, 0), 0))
        asked(line, commands.Connection.Open(unquote(place.path[1:]) or "/"))
        asked(line, commands.Channel.Open(), CHANNEL)
        yield line
        asked(line, commands.Connection.Close(200, "done", 0, 0))  # behind all that was published


def asked(line: socket.socket, method: base.Frame, channel: int = 0) -> None:
    line.sendall(frame.marshal(method, channel))
    heard(line)


def heard(line: socket.socket) -> None:
    """One frame of the broker's."""
    head = line.recv(7, socket.MSG_WAITALL)
    (size,) = struct.unpack_from(">I", head, 3)
    _, _, said = frame.unmarshal(head + line.recv(size + 1, socket.MSG_WAITALL))

    assert not isinstance(said, commands.Connection.Close), said.reply_text


def measure(jobs: int = JOBS, rate: float = RATE) -> list[Figure]:
    """The births of one publisher at this rate, while two workers drain."""
    with stage() as stack:
        before = computed(stack) | {"publisher": _of_children()}
        words = ["--publish-to", stack.amqp_url, "--jobs", str(jobs), "--rate", str(rate)]
        subprocess.run([sys.executable, "-m", "tests.bench.births", *words], check=True)
        publisher = _of_children()
        seen = _drained(stack, jobs)
        micros = micros_a_job(before, computed(stack) | {"publisher": publisher}, jobs)
    p50, p99 = seen["lags"]
    sent = f"published at {jobs / float(seen['sending']):,.0f}/s"
    return [
        Figure("born from one publisher", jobs / float(seen["took"]), "/s", at_least=PER_SECOND, beside=sent),
        Figure("lag of a birth, p50", p50, "s"),
        Figure("lag of a birth, p99", p99, "s", at_most=LAG_SECONDS),
        *[Figure(f"computed for a birth and its job: {role}", each, "µs") for role, each in micros.items()],
    ]


def _drained(stack: Stack, jobs: int) -> Mapping[str, Any]:
    """What Postgres says of the births, once all their jobs are done."""
    while asyncio.run(sql(stack.database_url, DONE))[0]["done"] < jobs:
        time.sleep(LOOK_SECONDS)  # a look counts all rows
    return dict(asyncio.run(sql(stack.database_url, LAGS))[0])


def _of_children() -> float:
    """The processor time of those that have ended: of the publisher, when nobody else has ended meanwhile."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.births", description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--publish-to", help="be the publisher only")
    given = parser.parse_args()
    if given.publish_to:
        publish(given.publish_to, given.jobs, given.rate)
    else:
        tell(measure(given.jobs, given.rate))


if __name__ == "__main__":
    main()
