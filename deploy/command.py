"""`deploy/up`, `deploy/down`, `deploy/test`, `deploy/prove`: what each does, after a Python was found for them."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from deploy.gate import steps
from deploy.machine.ports import NoFreePort
from deploy.machine.processes import Process
from deploy.proof import proving
from deploy.proof.scene import NotInTime
from deploy.provision.errands import ErrandFailed, Stopped
from deploy.provision.install import CannotInstall
from deploy.running import leftovers
from deploy.running.folder import Folder
from deploy.running.greeting import Progress, greeting
from deploy.running.stack import CannotStart, Stack
from deploy.running.supervise import KeepsDying
from deploy.servers.addresses import BadAddress
from deploy.servers.instance import ServerFailed
from deploy.servers.sources import NoServer
from deploy.terminal import detach
from deploy.terminal.options import parse_down, parse_prove, parse_up

ROOT = Path(__file__).resolve().parents[1]
FAULTS = (
    BadAddress, CannotInstall, CannotStart, ErrandFailed, KeepsDying, NoFreePort, NoServer, NotInTime, ServerFailed,
)  # fmt: skip
PATIENCE_SECONDS = 10.0


def up(words: list[str]) -> int:
    options = parse_up(words, ROOT)
    folder = Folder(options.data)
    try:
        folder.make()
    except PermissionError:
        print(f"cannot write to {folder.path}; choose another folder with --data DIR", file=sys.stderr)
        return 1
    if not folder.claim():
        return _say_what_runs(folder)
    settled = detach.fork(folder.log("supervisor")) if options.detach else _stay  # the lock goes with the child
    folder.sign()
    Stack(ROOT, options, folder).run(settled)
    return 0


def down(words: list[str]) -> int:
    folder = Folder(parse_down(words, ROOT))
    if not folder.path.is_dir():
        print(f"nothing runs: there is no {folder.path}")
        return 0
    say = Progress().say
    if (supervisor := folder.supervisor) is not None:
        say("down", f"asking the supervisor (pid {supervisor.pid}) to drain and stop")
        supervisor.send(signal.SIGTERM)
        _wait_for(supervisor, say)
    if not folder.claim():
        print(f"somebody else is starting in {folder.path}; try again", file=sys.stderr)
        return 1
    left = leftovers.stop_processes(folder, say) + leftovers.stop_servers(folder, say)
    folder.leave()
    say("down", "stopped; the data stay" if supervisor or left else "nothing was running")
    return 0


def main(words: list[str]) -> int:
    commands: dict[str, Callable[[list[str]], int]] = {
        "up": up,
        "down": down,
        "test": lambda rest: steps.run(ROOT, rest),
        "prove": lambda rest: proving.run(ROOT, parse_prove(rest)),
    }
    try:
        return commands[words[0]](words[1:])
    except FAULTS as fault:
        print(f"\n{fault}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, Stopped):
        return 130


def _say_what_runs(folder: Folder) -> int:
    supervisor, running = folder.supervisor, folder.running
    who = f" (pid {supervisor.pid})" if supervisor else ""
    if running is None:
        print(f"a Warren is just starting or stopping in {folder.path}{who}; see {folder.log('up')}", file=sys.stderr)
        return 1
    print(f"already running{who}:\n{greeting(running, folder.env)}")
    return 0


def _wait_for(supervisor: Process, say: Callable[[str, str], None]) -> None:
    began = time.monotonic()
    while not supervisor.wait(PATIENCE_SECONDS):
        say("down", f"still draining after {time.monotonic() - began:.0f} s; jobs that run may finish")


def _stay() -> None:
    """In the foreground there is nobody to report to."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
