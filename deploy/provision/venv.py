"""The virtual environment: made once, filled from the lock, taken as it is while the lock is unchanged.

It lies beside the code, not in a data folder, so that `up`, `test` and several data folders share it.  One that
does not answer (half made, or its Python was upgraded away) is made anew.  The project itself is not installed
but pointed to: nothing is built, nothing has to be fetched for building, and an edit is in force at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.provision.errands import ErrandFailed, Errands

# compiled is what is imported, when it first is: most of what libraries bring never is
PIP_SAYS = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile"]


@dataclass(frozen=True, slots=True)
class Venv:
    root: Path
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.folder / "warren.json"


def place(root: Path, data: Path) -> Venv:
    """Beside the code; in the data folder where the checkout cannot be written to."""
    shared = root / ".venv"
    writable = os.access(shared if shared.exists() else root, os.W_OK)
    return Venv(root, shared if writable else data / "venv")


def make(venv: Venv, errands: Errands, install_venv_module: Callable[[], None]) -> None:
    """Leave one that answers."""
    with only_one(venv.folder.parent):
        if not answers(venv):
            _make(venv, errands, install_venv_module)


def fill(venv: Venv, lock: Path, errands: Errands) -> str:
    """Make it hold what the lock says; what was done, in a word."""
    wanted = _digest(lock)
    with only_one(venv.folder.parent):
        if _stamps(venv).get(lock.name) == wanted:
            return "as the lock says"
        install(venv, ["--no-deps", "-r", str(lock)], errands, _environ())  # the lock names them all
        _point_to_the_checkout(venv)
        venv.stamp.write_text(json.dumps({**_stamps(venv), **_covered(lock, wanted)}))
        return "filled from the lock"


def install(venv: Venv, words: list[str], errands: Errands, environ: dict[str, str] | None = None) -> None:
    """By uv where it is present, since it is several times faster.

    pip has the last word: it reads pip.conf, in which a registry, a proxy or a certificate of the house may stand.
    """
    if uv := shutil.which("uv"):
        with suppress(ErrandFailed):
            errands.run([uv, "pip", "install", "--quiet", "--python", str(venv.python), *words], environ=environ)
            return
    errands.run([str(venv.python), "-m", "pip", "install", *PIP_SAYS, *words], environ=environ)


def answers(venv: Venv) -> bool:
    """Whether its Python runs, is ours in version, and can install."""
    probe = "import sys; print(*sys.version_info[:2])" + ("" if shutil.which("uv") else "; import pip")
    try:
        said = subprocess.run([venv.python, "-c", probe], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.returncode == 0 and said.stdout.split() == [str(part) for part in sys.version_info[:2]]


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Two `up` at once would fill one environment together."""
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _make(venv: Venv, errands: Errands, install_venv_module: Callable[[], None]) -> None:
    shutil.rmtree(venv.folder, ignore_errors=True)
    if not _made_by_uv(venv, errands):
        if not has_ensurepip():
            install_venv_module()
        errands.run([sys.executable, "-m", "venv", str(venv.folder)], environ=_environ())
    if not answers(venv):
        raise ErrandFailed(f"the virtual environment {venv.folder} was made but its Python does not answer")
    (venv.folder / ".gitignore").write_text("*\n")


def _made_by_uv(venv: Venv, errands: Errands) -> bool:
    """With pip in it, which it has to fetch: a later call may come without uv on its path, or uv may reach nobody."""
    uv = shutil.which("uv")
    if uv is None:
        return False
    try:
        errands.run([uv, "venv", "--seed", "--quiet", "--python", sys.executable, str(venv.folder)], environ=_environ())
    except ErrandFailed:
        shutil.rmtree(venv.folder, ignore_errors=True)
        return False
    return True


def has_ensurepip() -> bool:
    """Debian keeps it in a package of its own, and `import venv` works without it."""
    probe = [sys.executable, "-c", "import ensurepip; ensurepip.version()"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _point_to_the_checkout(venv: Venv) -> None:
    variables = {"base": str(venv.folder), "platbase": str(venv.folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", variables))
    (packages / "warren-checkout.pth").write_text(f"{venv.root}\n")
    command = venv.folder / "bin" / "warren"
    # a shell in between: a #! line holds neither spaces nor more than 127 characters
    command.write_text(f"""#!/bin/sh
exec '{venv.python}' -P -c 'import sys, warren; sys.argv[0] = "warren"; sys.exit(warren.main())' "$@"
""")
    command.chmod(0o755)


def _covered(lock: Path, digest: str) -> dict[str, str]:
    """The test lock holds all of the other one."""
    plain = lock.with_name("requirements.lock")
    return {lock.name: digest} if plain == lock else {lock.name: digest, plain.name: _digest(plain)}


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _stamps(venv: Venv) -> dict[str, str]:
    try:
        return {str(name): str(digest) for name, digest in json.loads(venv.stamp.read_text()).items()}
    except (OSError, ValueError):
        return {}


def _environ() -> dict[str, str]:
    """Neither the caller's environment nor ours may leak into the one that is made."""
    return {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}}
