"""The system's libraries with which reports are made PDFs of: pango and what goes with it, and a font.

They are no servers, and all but PDFs works without them: where they cannot be installed without asking somebody for a
password, or there is no apt, that is said in one line, and everything else goes on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Final

from deploy.provision import install
from deploy.provision.errands import ErrandFailed, Errands
from deploy.provision.install import CannotInstall

PACKAGES: Final = ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-liberation"]
LOADED: Final = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")
WITHOUT: Final = "reports come as HTML and CSV, not as PDF, until you run: "


def there() -> bool:
    """Asked in a process of its own, which they leave when it ends."""
    probe = f"import ctypes\nfor name in {LOADED!r}: ctypes.CDLL(name)"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0


def provide(errands: Errands) -> str:
    """Install them where they are missing and nobody has to be asked; what is to be said about it, if anything."""
    if there():
        return ""
    if shutil.which("apt-get") is None or install.root_prefix() in (None, ["sudo"]):
        return WITHOUT + _by_hand()
    try:
        install.by_apt(PACKAGES, errands)
    except (CannotInstall, ErrandFailed):
        return WITHOUT + _by_hand()
    return "installed what reports are drawn with (pango) by apt"


def _by_hand() -> str:
    return f"sudo apt-get install {' '.join(PACKAGES)}" if shutil.which("apt-get") else "brew install pango"
