"""Start a process of ours beside this one, with a socket between the two.

It is executed anew and never forked: a worker has threads, and what they hold at the moment of a fork is held for ever
in the copy.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence


def started(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], *, own_group: bool = False
) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """`python -m module DESCRIPTOR PARENT ARGUMENTS…`, and our end of the socket.

    On the calling thread, whose end is the process's end (see bounds.py); that takes a few milliseconds.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, str(number), str(os.getpid()), *arguments],
            stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), pass_fds=[number],
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)}, process_group=0 if own_group else None,
        )  # fmt: skip
    return ours, process
