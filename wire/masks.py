"""Mask what looks like a secret, by the name of its key and by its own looks, before a line is written or kept.

By looks: a password in a URL, `password=…` in any spelling, a bearer's token, and the keys whose form their makers
have published.  A secret that looks like any other word is not found; who logs one under an innocent name is not helped
here.  A log call must neither fail nor hold up the loop: what cannot be read is masked as a whole, a long text is cut,
and each repetition in a pattern has a bound, so that no text is looked at a thousand times over.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from typing import Final
from uuid import UUID

HIDDEN: Final = "***"
MOST_TEXT: Final = 32 * 1024  # characters
DEEPEST: Final = 8  # levels; nobody reads a log line that deep, and one may hold itself

_NAMES: Final = (
    r"passwo?r?d|passwd|pwd|passphrase|secret|token|api[_-]?key|private[_-]?key|credential|authorization|cookie"
)
_SECRET_KEY: Final = re.compile(_NAMES, re.IGNORECASE)
_URL_PASSWORD: Final = re.compile(r"(?P<head>[a-z0-9+]{1,30}://[^:/@\s]{0,200}):[^\s,]{1,300}@", re.IGNORECASE)
# name=value, name: value, "name": "value"; the value ends where such a value does
_NAMED: Final = re.compile(
    rf"""(?P<head>(?:{_NAMES})[\w-]{{0,40}}["']?\s{{0,4}}[=:]\s{{0,4}})(?!\s*\*\*\*)"""
    r"""(?:(?:bearer|basic|digest)\s{1,4})?(?:"[^"]*"?|'[^']*'?|[^\s,;&"'}\])]+)""",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"\b(?P<head>bearer|basic)\s{1,4}[A-Za-z0-9._~+/-]{8,}=*", re.IGNORECASE)
_KNOWN_FORMS: Final = re.compile(
    r"\beyJ[A-Za-z0-9_-]{8,1000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]*"  # JSON web tokens
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}"
    r"|\bglpat-[\w-]{20,}"
    r"|\bxox[abposr]-[A-Za-z0-9-]{10,}"  # Slack
    r"|\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"  # Stripe
    r"|\bsk-[A-Za-z0-9_-]{20,}"
    r"|\bAIza[\w-]{35}"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:.*?-----END [A-Z ]{0,20}PRIVATE KEY-----|.*)",
    re.DOTALL,
)
# words without which a pattern finds nothing: to look for them costs a twentieth of looking with the pattern
_NAME_WORDS: Final = (
    "passw", "pwd", "passphrase", "secret", "token", "api", "private", "credential", "authorization", "cookie",
)  # fmt: skip
_FORM_WORDS: Final = (
    "eyJ", "AKIA", "ASIA", "gh", "github_pat_", "glpat-", "xox", "k_live_", "k_test_", "sk-", "AIza", "-----BEGIN",
)  # fmt: skip
SHORTEST: Final = 8  # characters; "token=x" could hold no secret worth the look at every level and state

_PLAIN: Final = (bool, int, float, UUID, date, timedelta, Enum, type(None))


def masked(key: str, value: object) -> object:
    """The value as it may be written under this key."""
    try:
        return _masked(key, value, DEEPEST)
    except Exception:  # noqa: BLE001 - what a value does when it is looked at is its own; the line is written without
        return HIDDEN


def mask_text(text: str) -> str:
    """The text without the secrets that can be told by their looks."""
    if len(text) > MOST_TEXT:
        text = f"{text[:MOST_TEXT]}…"
    if len(text) < SHORTEST:
        return text
    if ":" in text or "=" in text:
        if "://" in text:
            text = mask_url(text)
        lower = text.lower()
        if any(word in lower for word in _NAME_WORDS):
            text = _NAMED.sub(rf"\g<head>{HIDDEN}", text)
    if " " in text and "b" in text.lower():
        text = _BEARER.sub(rf"\g<head> {HIDDEN}", text)
    return _KNOWN_FORMS.sub(HIDDEN, text) if any(word in text for word in _FORM_WORDS) else text


def mask_url(text: str) -> str:
    """A URL loses its password, and only that."""
    return _URL_PASSWORD.sub(rf"\g<head>:{HIDDEN}@", text)


def _masked(key: str, value: object, deeper: int) -> object:
    if _names_a_secret(key):
        return HIDDEN
    if isinstance(value, str):
        return mask_text(value)
    return value if isinstance(value, _PLAIN) else _within(key, value, deeper)


def _within(key: str, value: object, deeper: int) -> object:
    if not deeper:
        return "…"
    if isinstance(value, Mapping):
        return {str(name): _masked(str(name), inner, deeper - 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(key, inner, deeper - 1) for inner in value]
    return mask_text(str(value) if isinstance(value, BaseException) else repr(value))


@functools.lru_cache(maxsize=1_024)
def _names_a_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None
