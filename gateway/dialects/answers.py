"""An answer with their names beside ours, the values byte for byte the same, and addresses in the same dialect."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import hdrs, web

from gateway.answers import encode
from gateway.answers.crawls import CRAWLS
from gateway.answers.jobs import JOBS
from gateway.answers.schedules import SCHEDULES
from gateway.dialects.names import BESIDE, PREFIX, SCHEDULED_JOBS


def in_both(response: web.StreamResponse, list_name: str = "", job_id: str = "") -> web.StreamResponse:
    """The answer in both; in a list of one job's attempts each is told its job."""
    if isinstance(response, web.Response) and isinstance(response.body, bytes) and response.body:
        answer = _decode(response.body)
        if "items" in answer:
            answer["items"] = _items(answer["items"], job_id)
        if list_name:
            answer[list_name] = answer["items"]
        response.body = encode(_beside(answer))
    if hdrs.LOCATION in response.headers:
        ours = response.headers[hdrs.LOCATION].replace(SCHEDULES, SCHEDULED_JOBS).replace(CRAWLS, JOBS)
        response.headers[hdrs.LOCATION] = ours.removeprefix(PREFIX)
    return response


_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


def _items(items: msgspec.Raw, job_id: str) -> msgspec.Raw:
    whose = {BESIDE["id"]: msgspec.Raw(encode(job_id))} if job_id else {}  # an attempt of ours does not repeat it
    return msgspec.Raw(encode([_beside(item) | whose for item in _decode_list(items)]))


def _beside(answer: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    both = dict(answer)
    for ours, theirs in BESIDE.items():
        if ours in answer:
            both.setdefault(theirs, answer[ours])
    return both
