"""A RabbitMQ 4.3 of one's own, from a folder into which Debian's packages of it have been unpacked.

Debian 12 has 3.10, and the `quorum` profile begins with 4.3.  Where TEST_RABBITMQ4_ROOT names such a folder, the node
runs in it by chroot, as root, in a mount namespace of its own: what is bound there goes with the process.  Otherwise it
is started, stopped and killed like any private RabbitMQ (deploy/rabbitmq.py).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.processes import Process
from deploy.rabbitmq import Binaries, RabbitMQ
from tests.provider import guarded

ROOT_VARIABLE = "TEST_RABBITMQ4_ROOT"
BIN = Path("/usr/lib/rabbitmq/bin")  # as seen inside
ENTER = """\
set -eu
root=$1 folder=$2; shift 2
mkdir -p "$root$folder" && touch "$root/etc/hosts"
mount --bind /proc "$root/proc" && mount --rbind /dev "$root/dev"
mount --bind /etc/hosts "$root/etc/hosts" && mount --bind "$folder" "$root$folder"
exec chroot "$root" "$@"
"""


class RabbitMQ4(RabbitMQ):
    """The same node in another root."""

    def __init__(self, folder: Path, root: Path) -> None:
        super().__init__(folder, Binaries(BIN))
        self._root = root

    def run(self, command: list[str], environ: dict[str, str], cwd: Path | None = None) -> Process:
        # each exec replaces the one before, so the process on record is the node itself
        inside = ["unshare", "--mount", "sh", "-c", ENTER, "enter", str(self._root), str(self.folder), *command]
        return super().run(inside, environ, cwd)


def private_rabbitmq4(folder: Path) -> RabbitMQ4:
    """A RabbitMQ 4.3, not yet started; skips with a sentence where there is none."""
    root = os.environ.get(ROOT_VARIABLE)
    if not root:
        pytest.skip(f"no RabbitMQ 4.3: unpack Debian's packages of it into a folder and name it in {ROOT_VARIABLE}")
    if not (Path(root) / BIN.relative_to("/") / "rabbitmq-server").is_symlink():
        pytest.fail(f"{ROOT_VARIABLE}={root} holds no {BIN}/rabbitmq-server")
    if os.geteuid() != 0:
        pytest.skip(f"{ROOT_VARIABLE} needs root, for chroot")
    guarded(folder)
    return RabbitMQ4(folder, Path(root).resolve())
