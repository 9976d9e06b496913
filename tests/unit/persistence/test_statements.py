"""A statement's text is made once for each shape, and never with another's values."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from persistence.store.statements import text_of
from persistence.tables import jobs

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_two_that_differ_in_their_values_have_one_text_and_each_its_own_values() -> None:
    one, other = (
        text_of(select(jobs.c.id).where(jobs.c.id == job).limit(most)) for job, most in ((ONE, 7), (OTHER, 9))
    )

    assert one[0] is other[0]
    assert ([ONE, 7], [OTHER, 9]) == (one[1], other[1])


def test_lists_of_unequal_length_have_places_for_all() -> None:
    for states in (["queued"], ["queued", "running", "retrying"]):
        text, values = text_of(select(jobs.c.id).where(jobs.c.type == "echo").where(jobs.c.state.in_(states)))

        assert ["echo", *states] == values
        assert f"${len(values)}" in text
        assert f"${len(values) + 1}" not in text
