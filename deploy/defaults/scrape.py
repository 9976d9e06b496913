"""Where the figures of each process are: a port for each, kept over restarts, and a file that Prometheus reads.

WARREN_METRICS_PORT names the first of them, and the others follow it; without it free ones are drawn.  The file is one
of targets (`file_sd_configs`), so that a Prometheus finds them whatever they are.  Beside it lies a whole configuration
for a Prometheus of this machine, with the alert rules: `prometheus --config.file=.warren/prometheus.yml`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from deploy.machine.ports import LOOPBACK, free_ports

FILE = "scrape.json"
CONFIG = "prometheus.yml"
RULES = Path(__file__).parents[1] / "prometheus" / "alerts.yml"
GRAFANA = "http://127.0.0.1:3000"  # where its alerts lead to
EVERY = "10s"


class Scrape:
    """In one data folder."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._file, self._config = folder / FILE, folder / CONFIG
        first = environ.get("WARREN_METRICS_PORT", "")
        self._first = int(first) if first.isdigit() else 0  # the processes refuse what is none with a sentence
        self.ports: dict[str, int] = {}

    def choose(self, names: Sequence[str], servers: Mapping[str, int] = MappingProxyType({})) -> None:
        """Have a port for each of these, and the files; `servers` tell theirs on ports of their own."""
        if self._first:
            self.ports = {name: self._first + number for number, name in enumerate(names)}
        else:
            self.ports = free_ports(list(names), self._kept())
        told = [_target(name, port) for name, port in (*self.ports.items(), *servers.items())]
        self._file.write_text(json.dumps(told, indent=2) + "\n")
        self._config.write_text(json.dumps(_config(self._file), indent=2) + "\n")  # YAML too

    def environ(self, name: str) -> dict[str, str]:
        """What this process is told."""
        return {"WARREN_METRICS_PORT": str(self.ports[name])}

    def facts(self) -> list[tuple[str, str]]:
        """For who reads the addresses."""
        return [(f"{name} metrics", f"http://{LOOPBACK}:{port}/metrics") for name, port in self.ports.items()]

    def _kept(self) -> dict[str, int]:
        try:
            kept = json.loads(self._file.read_text())
            return {str(one["labels"]["role"]): int(one["targets"][0].rpartition(":")[2]) for one in kept}
        except (OSError, ValueError, LookupError, TypeError):
            return {}


def _config(targets: Path) -> dict[str, object]:
    return {
        "global": {"scrape_interval": EVERY, "evaluation_interval": EVERY, "external_labels": {"grafana": GRAFANA}},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "warren", "file_sd_configs": [{"files": [str(targets)]}]}],
    }


def _target(name: str, port: int) -> dict[str, object]:
    return {"targets": [f"{LOOPBACK}:{port}"], "labels": {"role": name}}
