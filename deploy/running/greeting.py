"""What `up` says: progress, and at the end the addresses and a `curl` that works when pasted."""

from __future__ import annotations

import shlex
import shutil
import time
from pathlib import Path

from deploy.running.folder import Running

EXAMPLE = '{"type": "echo", "payload": {"message": "hello"}}'


class Progress:
    """One line per step, with the time since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, name: str, text: str) -> None:
        print(f"  {self.seconds:5.1f} s  {name:<10} {text}", flush=True)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


def curl(url: str, api_key: str | None) -> str:
    """Submit a job, then ask for it at the address that the answer names, and wait there until it is done."""
    key = f" -H {shlex.quote(f'X-API-Key: {api_key}')}" if api_key else ""
    submit = (
        f"curl -s -o /dev/null -w '%header{{location}}'{key} -H 'Content-Type: application/json' "
        f"-d '{EXAMPLE}' {url}/api/v1/jobs"
    )
    return f'curl -s{key} "{url}$({submit})?wait=30"'


def greeting(running: Running, env: Path) -> str:
    rows = [
        ("dashboard", f"{running.url}/dashboard"),
        ("API", f"{running.url}/api/v1/jobs"),
        ("API docs", f"{running.url}/docs"),
        *running.facts,
        ("data folder", str(env.parent)),
        ("environment", f". {shlex.quote(str(env))}"),
    ]
    if running.api_key:
        rows.append(("API key", running.api_key))
    table = "\n".join(f"  {name:<17} {value}" for name, value in rows)
    lacking = "" if shutil.which("curl") else "  (curl is not installed here: apt-get install curl)\n"
    return f"\n{table}\n\n  Submit a job and see it done:\n{lacking}\n{curl(running.url, running.api_key)}\n"
