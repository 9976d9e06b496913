"""Run a command as somebody who is not root.

Postgres refuses to run as root, and a folder under /root cannot be reached by anybody else.  So the command keeps one
ambient capability, "may pass any folder", exactly when its folder is out of reach otherwise; the owner of
its files stays the unprivileged user.  As a plain user nothing is changed.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

USERS = ("postgres", "nobody")


def account(is_root: bool | None = None) -> pwd.struct_passwd | None:
    """Whom to become; None when there is nothing to give up."""
    if not (os.geteuid() == 0 if is_root is None else is_root):
        return None
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError(f"Postgres cannot run as root and none of the users {', '.join(USERS)} exists; add one")


def command_prefix(user: pwd.struct_passwd | None, folders: list[Path]) -> list[str]:
    if user is None:
        return []
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if all(passable(folder) for folder in folders):
        return prefix
    return [*prefix, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


def passable(folder: Path) -> bool:
    """Whether anybody may walk down to this folder."""
    return all(step.stat().st_mode & 0o001 for step in [folder, *folder.resolve().parents] if step.exists())


def give(user: pwd.struct_passwd | None, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
