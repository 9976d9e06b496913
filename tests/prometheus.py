"""A real Prometheus on a loopback port: from PATH, from TEST_PROMETHEUS_ROOT, or unpacked from Debian's package.

Unpacking needs no root and installs nothing; a machine without apt and without Prometheus skips.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actors.process.child import die_with_parent
from deploy.machine.ports import free_port

START_SECONDS = 30.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs."""

    url: str

    def ask(self, path: str, **said: str) -> Any:
        """The `data` of an answer."""
        query = f"?{urllib.parse.urlencode(said)}" if said else ""
        with _OPENER.open(f"{self.url}/api/v1/{path}{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def values(self, expression: str) -> list[float]:
        """What an expression is now, one value a series; none of them may be no number."""
        found = self.ask("query", query=expression)
        series = [found["result"]] if found["resultType"] == "scalar" else [one["value"] for one in found["result"]]
        return [value for value in (float(text) for _, text in series) if value == value]  # NaN is not itself


def binaries(folder: Path) -> Path:
    """The folder with `prometheus` and `promtool`."""
    if found := shutil.which("prometheus"):
        return Path(found).parent
    root = Path(os.environ.get("TEST_PROMETHEUS_ROOT") or folder / "unpacked")
    if not (root / "usr/bin/prometheus").exists():
        _unpack(folder, root)
    return root / "usr/bin"


def _unpack(folder: Path, root: Path) -> None:
    if not shutil.which("apt-get"):
        pytest.skip("neither prometheus nor apt-get is on this machine")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "download", "prometheus"], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("prometheus_*.deb")
    subprocess.run(["dpkg", "-x", str(package), str(root)], check=True)


@contextmanager
def running(folder: Path, targets: Mapping[str, int], rules: Path, seconds: int = 2) -> Iterator[Prometheus]:
    """One that scrapes these ports, each under its role, every so many seconds."""
    place = binaries(folder)
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(_config(targets, rules, seconds))
    words = [
        str(place / "prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, preexec_fn=die_with_parent)  # noqa: PLW1509
    try:
        one = Prometheus(f"http://127.0.0.1:{port}")
        _wait(one, process, folder / "prometheus.log")
        yield one
    finally:
        process.terminate()
        process.wait()


def _config(targets: Mapping[str, int], rules: Path, seconds: int) -> str:
    """YAML that is JSON."""
    jobs = [
        {
            "job_name": job,
            "static_configs": [
                {"targets": [f"127.0.0.1:{port}"], "labels": {"role": role}}
                for role, port in targets.items()
                if (role == "rabbitmq") == (job == "rabbitmq")
            ],
        }
        for job in ("warren", "rabbitmq")
    ]
    every = {"scrape_interval": f"{seconds}s", "evaluation_interval": f"{seconds}s", "scrape_timeout": f"{seconds}s"}
    told = every | {"external_labels": {"grafana": "http://127.0.0.1:3000"}}
    return json.dumps({"global": told, "rule_files": [str(rules)], "scrape_configs": jobs})


def _wait(one: Prometheus, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with _OPENER.open(f"{one.url}/-/ready", timeout=2):
                return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(LOOK_SECONDS)


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
