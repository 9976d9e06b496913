"""A job type that visits what it is told, one after the other."""

from __future__ import annotations

from pydantic import BaseModel

from warren import job, visit


class Urls(BaseModel):
    urls: list[str]


@job("visit_all", max_retries=3, retry_base_seconds=0.5)
async def visit_all(payload: Urls) -> list[int]:
    """Visit these, and say what was answered."""
    return [(await visit(url)).status for url in payload.urls]


@job("visit_all_apart", isolation="process", max_retries=3, retry_base_seconds=0.5)
async def visit_all_apart(payload: Urls) -> list[int]:
    """The same in a child process."""
    return [(await visit(url)).status for url in payload.urls]
