"""Ask a gateway for somebody who sits at a terminal, and print what it says, bit by bit.

An API key comes from WARREN_API_KEY.  Ends with 0 when there is an answer, with 1 when there is none (not there, not
now, not so), in one sentence, and with 130 after Ctrl-C.  What jobs and people have written is printed without what
would move the cursor or change the window.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Generator
from typing import Final

from gateway.client.blocking import SyncClient
from wire.errors import Refused, Unavailable

PATIENCE_SECONDS: Final = 5.0  # somebody sits in front of it
INTERRUPTED: Final = 130  # as a shell says it


def told(command: str, url: str | None, say: Callable[[SyncClient], Generator[str, None, None]]) -> int:
    """Print what this says of that gateway; the exit code."""
    try:
        with SyncClient(url, patience_seconds=PATIENCE_SECONDS) as warren, contextlib.closing(say(warren)) as texts:
            for text in texts:
                sys.stdout.write(text)
                sys.stdout.flush()
    except (Refused, Unavailable) as e:
        sys.stderr.write(f"warren {command}: {e}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
    return 0


def plain(text: str) -> str:
    """In one line, with nothing in it that a terminal obeys."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
