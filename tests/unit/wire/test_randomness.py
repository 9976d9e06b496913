"""Random bytes are given out once, to whichever thread or process asks."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from wire.randomness import PAGE, SIZE, random_bytes

PIECES = PAGE // SIZE


def test_nobody_gets_what_another_has() -> None:
    """
    Over the ends of several pages, from several threads at once.
    """
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: random_bytes(), range(4 * PIECES + 3)))

    assert len(found) == len(set(found))
    assert {SIZE} == {len(one) for one in found}


def test_a_forked_process_asks_for_its_own() -> None:
    random_bytes()  # what is left of the page would be the child's too
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, random_bytes())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, SIZE) not in {random_bytes() for _ in range(PIECES)}
    os.close(reading)
    os.close(writing)
