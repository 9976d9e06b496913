"""Hints are read by workers of other versions: what one does not know it ignores."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from wire.control import Beat, Hint, beat_hint, cancel_hint, read
from wire.topology import CONTROL

JOB = UUID("01920000-0000-7000-8000-000000000001")


def said(**fields: object) -> bytes:
    return json.dumps({"do": "cancel", "job_id": str(JOB), **fields}).encode()


@pytest.mark.parametrize("lease", [None, 1, 7])
def test_a_hint_comes_back_as_it_was_sent(lease: int | None) -> None:
    message = cancel_hint(JOB, lease)

    assert CONTROL == message.exchange
    assert Hint("cancel", JOB, lease) == read(message.body)


@pytest.mark.parametrize("session", [None, JOB])
def test_a_call_to_beat_means_all_or_one(session: UUID | None) -> None:
    message = beat_hint(session)
    found = read(message.body)

    assert (CONTROL, Beat(session)) == (message.exchange, found)
    assert [True, session is None] == [Beat(session).means(one) for one in (JOB, UUID(int=7))]


def test_a_newer_version_may_say_more() -> None:
    assert Hint("cancel", JOB, 2) == read(said(lease=2, why="a person asked", v=9))


@pytest.mark.parametrize("lease", ["2", 2.0, True, [], {}])
def test_a_lease_that_is_none_means_any(lease: object) -> None:
    assert Hint("cancel", JOB) == read(said(lease=lease))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"7", b"null", b"\xff", b'"cancel"', b'{"do": "cancel"}', b'{"do": "cancel", "job_id": 7}',
        b'{"do": "cancel", "job_id": "17"}', b'{"do": ["cancel"]}', said(do="pause"), said(x="y" * 5_000),
        b"[" * 4_000, b'{"do": "beat", "session": 7}', b'{"do": "beat", "session": "me"}',
    ],
    ids=repr,
)  # fmt: skip
def test_what_it_does_not_know_is_ignored(body: bytes) -> None:
    assert read(body) is None


def test_a_hint_means_one_start_or_whichever_runs() -> None:
    assert [True, False] == [Hint("cancel", JOB, 3).means(lease) for lease in (3, 4)]
    assert Hint("cancel", JOB).means(4)
