"""A Warren that may read the site, and the crawls that are asked of it: what crawl.py and cached.py stand on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.bench.stage import servers
from tests.journey.stack import Stack, running_stack
from tests.site.served import Site, serving

CRAWLS = "/api/v1/crawls"
SITE_HOSTS = 60


@dataclass(frozen=True, slots=True)
class Answered:
    """What the gateway said to a crawl, and how long it took to say it."""

    id: str
    new: int
    cached: int
    seconds: float


@contextlib.contextmanager
def reading() -> Iterator[tuple[Stack, Site]]:
    """A site, and a Warren that is polite to it but never pauses: its hosts must not be what is scarce.  No worker."""
    with servers() as found:
        folder = found.home / "stack"
        folder.mkdir()
        with serving(folder, hosts=SITE_HOSTS) as site:
            said = {
                "WARREN_OUTBOUND_ALLOW": site.allowed, "WARREN_ACTORS": "",
                "WARREN_HOST_DELAY_SECONDS": "0", "WARREN_HOST_CONCURRENCY": "16",
            }  # fmt: skip
            with running_stack(found.broker.url, found.database.dsn, folder, **said) as stack:
                stack.stop("actors")  # they have registered their types
                yield stack, site


def ask(stack: Stack, urls: list[str], **said: Any) -> Answered:
    """One crawl of these."""
    body = {"articles": [{"url": url, "source": "gazette"} for url in urls], **said}
    with httpx.Client(base_url=stack.url, timeout=120, trust_env=False) as client:
        began = time.perf_counter()
        response = client.post(CRAWLS, json=body)
        took = time.perf_counter() - began
    assert response.status_code == 201, response.text[:500]
    told = response.json()
    return Answered(told["job_id"], told["new_articles"], told["cached_articles"], took)


def forget(stack: Stack, crawl: Answered) -> None:
    with httpx.Client(base_url=stack.url, timeout=120, trust_env=False) as client:
        response = client.delete(f"{CRAWLS}/{crawl.id}")
    assert response.status_code == 204, response.text[:500]
