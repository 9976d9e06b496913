"""What a worker and the process that reads for it say to each other: a question and an answer, each in one frame."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

What = Literal["article", "select", "survey", "sitemap"]


class Question(msgspec.Struct, frozen=True, array_like=True):
    """A document, and what is asked of it."""

    what: What
    url: str
    content_type: str | None
    body: bytes
    extractor: str | None = None  # of an article: the place of a user's function
    wants: dict[str, Any] = {}  # of a selection: each name with its selector


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What it says, or why it cannot be read."""

    said: dict[str, Any] = {}
    unreadable: str | None = None
