"""A private Postgres in one folder: loopback TCP and a socket in its folder only, a password of its own, durable.

fsync stays on, because "accepted means durable" depends on it.  A socket's path may hold 107 characters: where the
data folder's is longer there is none, and everybody comes by TCP.  A cluster is made beside its place and renamed
into it, so a half-made one is never started.  Refuses binaries of another major version than the data.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from deploy.machine.ports import LOOPBACK
from deploy.machine.processes import Process
from deploy.machine.unprivileged import account, command_prefix, give
from deploy.servers.instance import Instance, ServerFailed

USER = DATABASE = "warren"
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/pgsql/bin")
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "max_connections": "100",  # 3 a process leaves room for thirty processes and a person
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}
LONGEST_SOCKET: Final = 107  # bytes of its path


@dataclass(frozen=True, slots=True)
class Binaries:
    folder: Path
    major: int


def find(places: tuple[str, ...] | None = None, path: str | None = None) -> list[Binaries]:
    """All complete sets of binaries, newest first."""
    folders = [folder for pattern in (PLACES if places is None else places) for folder in _glob(pattern)]
    on_path = shutil.which("postgres", path=os.environ.get("PATH") if path is None else path)
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    found = {folder: major for folder in folders if (major := _major(folder))}
    return sorted((Binaries(folder, major) for folder, major in found.items()), key=lambda b: -b.major)


def suitable(binaries: list[Binaries], folder: Path) -> Binaries:
    """The newest for a new folder, the same major version for one that holds data."""
    if fitting := fits(binaries, folder):
        return fitting[0]
    major = _major_of_data(folder)
    have = ", ".join(str(b.major) for b in binaries)
    raise ServerFailed(f"{folder} holds data of Postgres {major}; found {have}: install {major} or use another --data")


def fits(binaries: list[Binaries], folder: Path) -> list[Binaries]:
    major = _major_of_data(folder)
    return [candidate for candidate in binaries if major in (None, candidate.major)]


def _major_of_data(folder: Path) -> int | None:
    try:
        return int((folder / "cluster" / "PG_VERSION").read_text())
    except OSError:
        return None


class Postgres(Instance):
    name = "postgres"
    port_names = ("port",)
    start_seconds = 60.0  # replaying the log of a crash
    stop_seconds = 20.0
    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for every client to leave

    def __init__(
        self, folder: Path, binaries: Binaries, log: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder, log)
        self.binaries = binaries
        self._settings = {**SETTINGS, **(settings or {})}
        self.cluster = self.folder / "cluster"
        self._user = account()

    @property
    def dsn(self) -> str:
        return dsn(self.ports["port"], self.password)

    @property
    def near(self) -> str:
        """The way through the socket, which is shorter: what a job waits for Postgres is a tenth less."""
        return near(self.cluster, self.ports["port"], self.password) if has_socket(self.cluster) else self.dsn

    def prepare(self) -> None:
        if (self.cluster / "PG_VERSION").exists():
            return
        making = self.folder / "making"
        shutil.rmtree(making, ignore_errors=True)
        give(self._user, making)
        self._initdb(making)
        self._tool(["postgres", "--single", "-D", f"{making}/cluster", "postgres"], f"CREATE DATABASE {DATABASE};\n")
        (making / "cluster").rename(self.cluster)
        shutil.rmtree(making)

    def spawn(self) -> Process:
        socket_folder = str(self.cluster) if has_socket(self.cluster) else ""
        settings = {"unix_socket_directories": socket_folder, **self._settings, "port": str(self.ports["port"])}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self.binaries.folder / "postgres"), "-D", str(self.cluster), *options]
        return self.run([*self._prefix(), *command], _environ())

    def answers(self) -> bool:
        return asks_for_a_password(LOOPBACK, self.ports["port"])

    def environ(self) -> dict[str, str]:
        return {"DATABASE_URL": self.dsn}

    def facts(self) -> list[tuple[str, str]]:
        return [("Postgres", self.dsn)]

    def _initdb(self, making: Path) -> None:
        password_file = making / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if self._user is not None:
            os.chown(password_file, self._user.pw_uid, self._user.pw_gid)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", f"--username={USER}"]
        self._tool(["initdb", *options, f"--pwfile={password_file}", "-D", f"{making}/cluster"])

    def _tool(self, words: list[str], stdin: str = "") -> None:
        command = [*self._prefix(), str(self.binaries.folder / words[0]), *words[1:]]
        ended = subprocess.run(
            command, input=stdin, env=_environ(), cwd=self.folder, capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise ServerFailed(f"{words[0]} ended with {ended.returncode}: {ended.stdout[-800:]}{ended.stderr[-1200:]}")

    def _prefix(self) -> list[str]:
        return command_prefix(self._user, [self.folder, self.binaries.folder])


def dsn(port: int, password: str) -> str:
    return f"postgresql://{USER}:{password}@{LOOPBACK}:{port}/{DATABASE}"


def near(folder: Path, port: int, password: str) -> str:
    return f"postgresql://{USER}:{password}@/{DATABASE}?host={quote(str(folder), safe='')}&port={port}"


def has_socket(folder: Path) -> bool:
    """Whether a socket in this folder can be named: to Postgres a comma ends a path, and a quote begins one."""
    longest = folder / ".s.PGSQL.65535"
    return len(os.fsencode(longest)) <= LONGEST_SOCKET and not set('",') & set(str(folder))


def asks_for_a_password(host: str, port: int) -> bool:
    """Whether a session would be let in: the answer is `R`; a server that is still starting says `E`."""
    fields = f"user\0{USER}\0database\0{DATABASE}\0\0".encode()
    hello = struct.pack("!II", len(fields) + 8, 196608) + fields  # protocol 3.0
    try:
        with socket.create_connection((host, port), timeout=2) as server:
            server.sendall(hello)
            return server.recv(1) == b"R"
    except OSError:
        return False


def _major(folder: Path) -> int | None:
    if not all(os.access(folder / tool, os.X_OK) for tool in ("postgres", "initdb")):
        return None
    version = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"\(PostgreSQL\) (\d+)", version)  # postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    return int(number[1]) if number else None


def _glob(pattern: str) -> list[Path]:
    return sorted(Path("/").glob(pattern.lstrip("/")))


def _environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}
