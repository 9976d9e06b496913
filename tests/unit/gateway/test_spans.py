"""The jobs of one request are recorded where the request is, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.entrance.spans import serve, traces_of
from wire.spans import here
from wire.spans.recording import Recording

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """As with OTEL_TRACES_SAMPLER=always_off."""
    here.spans = Recording(lambda _: None, keeps=lambda _: False, follows=lambda *_: False, surround=lambda *_: None)
    yield
    here.spans = None


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("headers", [{}, {"traceparent": PARENT}], ids=["without a trace", "in a recorded one"])
def test_what_a_sampler_leaves_out_is_recorded_by_no_worker(headers: dict[str, str]) -> None:
    request = make_mocked_request("POST", "/api/v1/jobs/bulk", headers=headers)
    serve(request)

    assert not traces_of(request)().recorded
