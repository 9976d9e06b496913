"""The site in a process of its own, and what a test asks of it."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.site import asked
from tests.site.robots import ORDINARY

ROOT = Path(__file__).parents[2]
HOSTS = 60


@dataclass(frozen=True, slots=True)
class Site:
    """`host` is the last number of an address: 2 to 12 are particular (tests/site/robots.py), from 20 on ordinary."""

    port: int
    log: Path
    hosts: int
    since: float = 0.0  # by the monotonic clock: what was asked before is not told

    def from_now(self) -> Site:
        return replace(self, since=time.monotonic())

    @property
    def allowed(self) -> str:
        """What the guard of outbound requests must be told, so that jobs may ask here: all hosts, this port."""
        return f"127.0.0.0/8:{self.port}"

    @property
    def ordinary(self) -> range:
        return range(ORDINARY, self.hosts + 2)

    def host(self, host: int = ORDINARY) -> str:
        return f"127.0.0.{host}:{self.port}"

    def url(self, path: str = "/", host: int = ORDINARY) -> str:
        return f"http://{self.host(host)}{path}"

    def article_urls(self, count: int, hosts: int = 8, first: int = 0, kind: str = "articles") -> list[str]:
        """So many different ones, over so many ordinary hosts by turns; `stories` are heavy, as in the world."""
        return [self.url(f"/{kind}/{first + n}", ORDINARY + n % hosts) for n in range(count)]

    def asked(self, *, host: int | None = None, path: str | None = None) -> list[asked.Asked]:
        told = asked.read(self.log, host=None if host is None else f"127.0.0.{host}", path=path)
        return [each for each in told if each.began >= self.since]

    def change(self, number: int, host: int = ORDINARY) -> None:
        """Somebody publishes a new edition of this article (at every host)."""
        request = urllib.request.Request(self.url(f"/control/edition/{number}", host), method="POST")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            answer.read()


@contextmanager
def serving(folder: Path, *, hosts: int = HOSTS, latency_ms: float = 0) -> Iterator[Site]:
    """A site of one's own; its log is in the folder."""
    log = folder / "site.log"
    log.touch()
    command = [sys.executable, "-m", "tests.site", "--log", str(log), "--hosts", str(hosts)]
    with subprocess.Popen(
        [*command, "--latency-ms", str(latency_ms)], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            assert port, f"the site ended with {process.wait(10)}"
            yield Site(int(port), log, hosts)
        finally:
            process.terminate()
