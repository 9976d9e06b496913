"""The pages: they load nothing from elsewhere, and the description they show is valid and true."""

from __future__ import annotations

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.room.gateway.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("page", ["/docs", "/redoc", "/problems"])
async def test_a_page_loads_nothing_from_elsewhere(running: Running, page: str) -> None:
    async with running.client.get(page) as response:
        text = await response.text()
        policy = response.headers["Content-Security-Policy"]
    files = re.findall(r'(?:src|href|spec-url)="([^"]+)"', text)

    assert 200 == response.status
    assert files
    assert all(name.startswith("/") for name in files)
    assert "default-src 'none'" in policy
    assert not re.search(r"https?://|\*", policy)
    for name in files:
        async with running.client.get(name) as response:
            assert 200 == response.status
            assert "octet-stream" not in response.content_type


async def test_redoc_s_picture_comes_from_here(running: Running) -> None:
    async with running.client.get("/docs/assets/redoc.standalone.js") as response:
        script = await response.text()

    assert "cdn.redoc.ly" not in script
    assert "/docs/assets/logo-mini.svg" in script


async def test_the_description_is_valid(running: Running) -> None:
    document = await running.get("/openapi.json")

    OpenAPIV31SpecValidator(document).validate()
    assert {"payload.echo", "payload.anything"} < set(document["components"]["schemas"])
