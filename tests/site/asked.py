"""The site's log: who asked what, when, and what was answered.

Times `began` and `ended` are of the machine's monotonic clock, so that gaps between them are exact; `at` is of the
calendar's.  A request is told once it is over.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    host: str  # as the asker named it, with the port
    address: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    status: int  # 0: no answer that HTTP knows, or the asker went away
    size: int
    at: float
    began: float
    ended: float

    def told(self) -> dict[str, Any]:
        return asdict(self)


def read(log: Path, *, host: str | None = None, path: str | None = None) -> list[Asked]:
    """What was asked (of this host, with a path that begins like this), in the order in which it began."""
    whole, _, _ = log.read_text().rpartition("\n")  # the last line may be half written
    asked = [Asked(**json.loads(line)) for line in whole.splitlines()]
    kept = [
        each
        for each in asked
        if (host is None or host in (each.host, each.address)) and (path is None or each.path.startswith(path))
    ]
    return sorted(kept, key=lambda each: each.began)


def gaps(asked: Iterable[Asked]) -> dict[str, list[float]]:
    """Per host the seconds from each answer's end to the next request's begin; negative where they overlapped."""
    by_host = defaultdict(list)
    for each in sorted(asked, key=lambda each: each.began):
        by_host[each.host].append(each)
    return {host: [later.began - earlier.ended for earlier, later in pairwise(of)] for host, of in by_host.items()}


def most_at_once(asked: Iterable[Asked]) -> int:
    """How many requests were under way at the same time."""
    edges = sorted(edge for each in asked for edge in ((each.began, 1), (each.ended, -1)))
    now = most = 0
    for _, step in edges:
        now += step
        most = max(most, now)
    return most
