"""Ids: ordered by time when fresh, the same for the same key."""

from __future__ import annotations

import time
from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest

from wire import identity


def test_a_fresh_id_is_a_uuid_of_version_7_and_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    fresh = identity.fresh_id()
    after = time.time_ns() // 1_000_000

    assert (7, RFC_4122) == (fresh.version, fresh.variant)
    assert before <= fresh.int >> 80 <= after


def test_fresh_ids_are_ordered_by_their_time() -> None:
    ids = [identity.fresh_id() for _ in range(2_000)]
    millis = [fresh.int >> 80 for fresh in ids]

    assert all(one <= other for one, other in pairwise(millis))
    assert sorted(ids, key=lambda i: i.int >> 80) == sorted(ids, key=lambda i: str(i)[:13])
    assert len(ids) == len(set(ids))


def test_an_id_from_a_key_is_the_same_in_every_process_and_version() -> None:
    """
    The value is written out: were it to change, a request repeated across an upgrade would run twice.
    """
    derived = identity.id_from_key("local", "order-42")

    assert UUID("98bfeaab-889c-8fdf-ae9b-286316439cf0") == derived
    assert (8, RFC_4122) == (derived.version, derived.variant)


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a", "k"), ("b", "k")), (("a", "k"), ("a", "l")), (("a", "bk"), ("ab", "k")), (("", "k"), ("k", ""))],
)
def test_another_scope_or_key_is_another_id(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert identity.id_from_key(*one) != identity.id_from_key(*other)


@pytest.mark.parametrize("key", ["", "é", "\U0001f600", " ", "k" * 10_000])
def test_any_text_is_a_key(key: str) -> None:
    assert identity.id_from_key("local", key) == identity.id_from_key("local", key)


def test_a_body_has_one_hash_and_another_body_another() -> None:
    assert identity.body_hash(b"{}") == identity.body_hash(b"{}")
    assert identity.body_hash(b"{}") != identity.body_hash(b"{ }")
    assert 16 == len(identity.body_hash(b""))
