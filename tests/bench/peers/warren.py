"""Warren's publisher for the pace: one HTTP request a job over a connection that stands."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

HEADERS = {"Content-Type": "application/json"}
PATH = "/api/v1/jobs"


@contextlib.contextmanager
def publisher() -> Iterator[Callable[[dict[str, Any]], None]]:
    connection = http.client.HTTPConnection(urlsplit(os.environ["WARREN_URL"]).netloc, timeout=30)

    def submit(payload: dict[str, Any]) -> None:
        connection.request("POST", PATH, json.dumps({"type": "noop", "payload": payload}).encode(), HEADERS)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 202, said

    yield submit
    connection.close()
