"""The shortest way to a page of jobs, by the numbers that are known."""

from __future__ import annotations

import pytest

from persistence.questions.counts import Crowd
from persistence.questions.walks import ANYWHERE, Walk, shortest

LIMIT = 50


def crowds(states: dict[str, tuple[int, int]], types: dict[str, tuple[int, int]]) -> list[Crowd]:
    """Of each state and type: how many there are, and how many match."""
    everybody = Crowd(None, None, sum(n for n, _ in states.values()), sum(m for _, m in states.values()))
    return [
        everybody,
        *[Crowd(state, None, *numbers) for state, numbers in states.items()],
        *[Crowd(None, job_type, *numbers) for job_type, numbers in types.items()],
    ]


MOST = {"completed": (950_000, 0), "failed": (50_000, 0)}
RARE_QUEUE = crowds({"completed": (950_000, 190), "failed": (50_000, 10)}, {"mail": (999_800, 0), "yearly": (200, 200)})
LARGE_QUEUE = crowds(
    {"completed": (950_000, 500_000), "failed": (50_000, 25_000)}, {"mail": (600_000, 525_000), "post": (400_000, 0)}
)
PENDING = crowds(
    {"queued": (4_000, 4_000), "retrying": (5_000, 5_000), "completed": (991_000, 0)}, {"a": (10**6, 9_000)}
)
MANY_TYPES = crowds({"completed": (10**6, 900_000)}, {f"type {n}": (5_000, 4_500) for n in range(200)})
NOBODY = crowds(MOST, {"mail": (1_000_000, 0)})


@pytest.mark.parametrize(
    ("found", "counted", "walk"),
    [
        pytest.param(RARE_QUEUE, True, Walk("type", ("yearly",)), id="a rare queue by its types"),
        pytest.param(RARE_QUEUE, False, Walk("type", ("yearly",)), id="the same with a tag"),
        pytest.param(LARGE_QUEUE, True, Walk("type", ("mail",)), id="a large queue by its only type"),
        pytest.param(
            LARGE_QUEUE, False, Walk("type", ("mail",), whole=False), id="with a tag, of that type the newest"
        ),
        pytest.param(PENDING, True, Walk("state", ("queued", "retrying")), id="what waits by its states"),
        pytest.param(PENDING, False, Walk("state", ("queued", "retrying"), whole=False), id="with a tag, the newest"),
        pytest.param(MANY_TYPES, True, ANYWHERE, id="nearly all of them by none of two hundred types"),
        pytest.param(NOBODY, True, None, id="nothing matches"),
        pytest.param(NOBODY, False, None, id="nothing matches, whatever its tag"),
    ],
)
def test_the_shortest_walk(found: list[Crowd], counted: bool, walk: Walk | None) -> None:
    assert walk == shortest(found, LIMIT, counted=counted)


def test_an_empty_table_is_not_walked() -> None:
    assert None is shortest([Crowd(None, None, 0, 0)], LIMIT, counted=True)
