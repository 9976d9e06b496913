"""An S3 API on loopback, in a process of its own: it can be asked what it holds, frozen and killed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.process.child import die_with_parent
from deploy.machine.ports import free_ports
from wire.slices.artifacts import Artifacts

BUCKET = "bucket"
SECONDS_TO_START = 60.0


class S3:
    """One server with one bucket."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._port = free_ports(["s3"], {})["s3"]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """With an empty bucket: it keeps all in memory."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                self._ask("PUT", f"/{BUCKET}")
            except OSError:
                assert time.monotonic() < deadline, self._log.read_text()
                assert self._process.poll() is None, self._log.read_text()
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        process, self._process = self._process, None
        if process:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def keys(self) -> list[str]:
        """All that it holds."""
        return re.findall(r"<Key>(.*?)</Key>", self._ask("GET", f"/{BUCKET}?list-type=2"))

    def half_uploads(self) -> list[str]:
        """What was begun and neither finished nor given up."""
        return re.findall(r"<Key>(.*?)</Key>", self._ask("GET", f"/{BUCKET}?uploads"))

    def settings(self, prefix: str = "", **more: object) -> Artifacts:
        keys = {"artifacts_access_key": "AKIATEST", "artifacts_secret_key": "hunter2hunter2"}
        place = f"s3://{BUCKET}" + (f"/{prefix}" if prefix else "")
        return Artifacts(artifacts_url=place, artifacts_endpoint=self.url, **keys, **more)  # type: ignore[arg-type]

    def _ask(self, method: str, path: str) -> str:
        with _OPENER.open(urllib.request.Request(self.url + path, method=method), timeout=10) as answer:
            return str(answer.read().decode())


@contextmanager
def s3_served(folder: Path) -> Iterator[S3]:
    one = S3(folder / "s3.log")
    one.start()
    try:
        yield one
    finally:
        one.kill()


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
