"""Stop private servers when nobody holds their lease any more.

The lease is a shared lock on a file, which the kernel lets go when its holder dies, however it dies: a test run that
is killed leaves no servers behind.  `python -m deploy.servers.guard LEASE FOLDER` waits for the lock, kills every
process on record under FOLDER and removes it.  Only for servers whose data may be thrown away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from deploy.machine.processes import children, read_record


def lease(path: Path) -> int:
    """Hold a share of the lease; closing the descriptor gives it back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        held = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(held, fcntl.LOCK_SH)
        if path.exists() and os.path.samestat(path.stat(), os.fstat(held)):
            return held
        os.close(held)  # a guard that finished while we waited took the file away


def post(path: Path, folder: Path) -> None:
    """Set a guard over a folder; the caller holds a share of the lease already."""
    root = Path(__file__).parents[2]
    subprocess.Popen(
        [sys.executable, "-P", "-m", "deploy.servers.guard", str(path), str(folder)],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_recorded(folder: Path) -> None:
    """Supervisors first, or they would start again what is killed after them."""
    for record in sorted(folder.rglob("*.json"), key=lambda path: path.stem != "supervisor"):
        process = read_record(record)
        if process is None:
            continue
        for child in children(process.pid):
            _kill(child)
        process.send(signal.SIGKILL)
        process.wait(10)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def main(lease_path: Path, folder: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    held = os.open(lease_path, os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    kill_recorded(folder)
    shutil.rmtree(folder, ignore_errors=True)
    lease_path.unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
