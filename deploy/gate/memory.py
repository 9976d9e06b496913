"""A folder in memory for what a test run writes and throws away, where there is enough of it.

Nearly every test has a database of its own, the copy of some three hundred files: on a disk that takes three to eight
times the processor time that it takes in memory, and a disk proves nothing here, for servers are killed and machines
are not.  A guard removes the folder when the run has ended, however it ends: what stays in memory is missed there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from deploy.servers import guard

PLACE = Path("/dev/shm")  # noqa: S108 - whoever writes there makes a folder of his own
ENOUGH_BYTES = 4 * 1024**3  # the servers of five or six processes; a container has 64 MB unless told otherwise


def folder(place: Path = PLACE) -> Path | None:
    """A new one, kept until this process ends; None where the disk has to do."""
    if not _suits(place):
        return None
    made = Path(tempfile.mkdtemp(prefix="warren-gate-", dir=place))
    guard.lease(made.with_suffix(".lease"))  # kept until this process ends, on purpose
    guard.post(made.with_suffix(".lease"), made)
    return made


def _suits(place: Path) -> bool:
    if not os.access(place, os.W_OK | os.X_OK):
        return False
    forbids_programs = bool(os.statvfs(place).f_flag & getattr(os, "ST_NOEXEC", 0))  # tests write and run some
    return not forbids_programs and shutil.disk_usage(place).free >= ENOUGH_BYTES
