"""Postgres' own programs: where they are, and how they are told whom to ask.

pg_dump and pg_restore of the server's own major version are preferred: an older one refuses, and what a newer one
writes says things that the server does not know.  They learn the address and the password by their environment and see
nothing else of this process's: a command line is read by everybody on the machine.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from wire.errors import Refused

USUAL: Final = (
    "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/opt/homebrew/opt/libpq/bin",
    "/usr/local/pgsql/bin",
)  # fmt: skip
SETTING: Final = "WARREN_BACKUP_PROGRAMS"
KEPT: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
# what a URL's query may say, and what libpq calls it in the environment
OPTIONS: Final = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
    "options": "PGOPTIONS", "target_session_attrs": "PGTARGETSESSIONATTRS", "connect_timeout": "PGCONNECT_TIMEOUT",
}  # fmt: skip


def program(name: str, major: int, folder: str = "", usual: Sequence[str] = USUAL) -> str:
    """The one for this server: of its major version if there is one, else the next newer; Refused if there is none."""
    found = {version: path for path in _candidates(name, folder, usual) if (version := _major(path))}
    fitting = [version for version in found if version >= major]
    if fitting:
        return found[min(fitting)]
    have = f"found {', '.join(map(str, sorted(found)))}" if found else "none was found"
    raise Refused(
        SETTING, f"{name} of Postgres {major} or newer is needed, {have}",
        f"install postgresql-client-{major}, or name the folder where it is", code="missing",
    )  # fmt: skip


def environment(url: str, **more: str) -> dict[str, str]:
    """What libpq reads."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return {**kept, "LC_ALL": "C", "PGCONNECT_TIMEOUT": "15", "PGAPPNAME": "warren backup", **_told(url), **more}


def _told(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    places = [place.rpartition(":") if re.search(r":\d+$", place) else (place, "", "") for place in hosts.split(",")]
    said = {
        "user": unquote(user),
        "password": unquote(password),
        "host": ",".join(unquote(host).strip("[]") for host, _, _ in places),
        "port": ",".join(port for _, _, port in places),
        "dbname": unquote(parts.path.lstrip("/")),
    }
    said.update({name: value for name, value in parse_qsl(parts.query)})
    return {OPTIONS[name]: value for name, value in said.items() if value and name in OPTIONS}


def _candidates(name: str, folder: str, usual: Sequence[str]) -> Sequence[str]:
    """Of two of a version the last is taken: what is on the PATH may be a script."""
    folders = [folder] if folder else [found for pattern in usual for found in sorted(glob.glob(pattern))]
    paths = [str(Path(one) / name) for one in folders]
    on_path = None if folder else shutil.which(name)
    return [path for path in (on_path, *paths) if path and os.access(path, os.X_OK)]


def _major(path: str) -> int | None:
    """pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"""
    said = subprocess.run(  # noqa: S603 - a program of Postgres
        [path, "--version"], capture_output=True, text=True, check=False, env=_bare(os.environ), timeout=30
    ).stdout
    number = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(number[1]) if number else None


def _bare(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name in KEPT}
