"""Random bytes for ids, asked of the system a page at a time: to ask for each id costs more than to make the id.

They are the system's own, each is given out once, and a process that was forked asks for its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

SIZE: Final = 16
PAGE: Final = 256 * SIZE

_left: Iterator[bytes] = iter(())


def random_bytes() -> bytes:
    """Sixteen that nobody has had."""
    global _left  # noqa: PLW0603 - one a process, as the system's source is
    while True:
        for piece in _left:  # to take the next of a list is one step, whichever threads do it
            return piece
        page = os.urandom(PAGE)
        _left = iter([page[at : at + SIZE] for at in range(0, PAGE, SIZE)])


def _forget() -> None:
    global _left  # noqa: PLW0603
    _left = iter(())


os.register_at_fork(after_in_child=_forget)
