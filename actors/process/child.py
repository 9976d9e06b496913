"""`python -m actors.process.child`: a worker process, Dramatiq's own command line with one process and an idle thread.

It ends with the process that started it, so that a killed supervisor leaves no workers behind that nobody watches.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
COMMAND: Final = ("dramatiq", "--processes", "1", "--threads", "1", "--skip-logging", "actors.process.app")


def die_with_parent() -> None:
    """Be told to drain when the parent ends; only Linux can, elsewhere the lease ends by silence."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main() -> int:
    die_with_parent()
    sys.argv = list(COMMAND)
    from dramatiq.cli import main as dramatiq_main  # noqa: PLC0415 - it forks: nothing may be running before it

    return int(dramatiq_main() or 0)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    sys.exit(main())
