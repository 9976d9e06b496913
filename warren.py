"""Warren's public face: what a job's author imports, and the `warren` command.

    from warren import job, progress, submit, submit_now, PermanentError, RetryAfter, Snooze     # in job modules
    from warren import run_inline                                                               # in their tests
    from warren import Client, SyncClient, submit_in, JobFailed, NotFound, Refused, Unavailable  # everywhere else

Nothing is loaded before it is used, so a service that only wants one name does not pay for the engine; nor does the
command, which prints what an operator asks about a Warren without touching one (`migrate` excepted).
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from wire import version

__version__ = version.VERSION

if TYPE_CHECKING:
    from actors.context import cancelled, context, progress
    from actors.ends import PermanentError, RetryAfter, Snooze
    from actors.inline import inline, run_inline
    from actors.job import job
    from actors.sender import broker
    from actors.submit import submit, submit_now
    from gateway.client.blocking import SyncClient
    from gateway.client.calls import Client, new_job
    from gateway.client.failures import JobFailed, NotConfirmed, NotFound, StillOpen
    from persistence.transactional import submit_in
    from wire.errors import Refused, Unavailable

_HOMES = {
    "job": "actors.job",
    "context": "actors.context",
    "progress": "actors.context",
    "cancelled": "actors.context",
    "PermanentError": "actors.ends",
    "RetryAfter": "actors.ends",
    "Snooze": "actors.ends",
    "broker": "actors.sender",
    "submit": "actors.submit",
    "submit_now": "actors.submit",
    "inline": "actors.inline",
    "run_inline": "actors.inline",
    "Client": "gateway.client.calls",
    "new_job": "gateway.client.calls",
    "SyncClient": "gateway.client.blocking",
    "JobFailed": "gateway.client.failures",
    "NotConfirmed": "gateway.client.failures",
    "NotFound": "gateway.client.failures",
    "StillOpen": "gateway.client.failures",
    "submit_in": "persistence.transactional",
    "Refused": "wire.errors",
    "Unavailable": "wire.errors",
}
__all__ = [
    "Client", "JobFailed", "NotConfirmed", "NotFound", "PermanentError", "Refused", "RetryAfter", "Snooze", "StillOpen",
    "SyncClient", "Unavailable", "broker", "cancelled", "context", "inline", "job", "new_job", "progress", "run_inline",
    "submit", "submit_in", "submit_now",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'warren' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


class _Parser(argparse.ArgumentParser):
    """One clear sentence instead of a usage text."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` explains\n")


def main(words: Sequence[str] | None = None) -> int:
    """The command `warren`."""
    parser = _parser()
    asked = parser.parse_args(words)
    if asked.command is None:
        parser.error("say what you want: settings, topology, migrate or version")
    if asked.command == "migrate":
        return _migrate()
    sys.stdout.write(_page(asked))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("warren", description="Ask about a Warren.")
    commands = parser.add_subparsers(dest="command", parser_class=_Parser, metavar="command")
    settings = commands.add_parser("settings", help="all settings: docs/settings.md")
    settings.add_argument("--env", action="store_true", help="as a .env file instead: .env.example")
    topology = commands.add_parser("topology", help="the exchanges, queues and bindings on the broker")
    topology.add_argument("--profile", choices=("classic", "quorum"), default="classic", help="of this kind of queue")
    commands.add_parser("migrate", help="bring the schema in DATABASE_URL up to date")
    commands.add_parser("version", help="the version of Warren")
    return parser


def _page(asked: argparse.Namespace) -> str:
    if asked.command == "version":
        return f"warren {__version__}\n"
    if asked.command == "topology":
        from deploy.topology_page import topology_page  # noqa: PLC0415 - loaded when used
        from wire.topology import Profile  # noqa: PLC0415

        return topology_page(Profile(asked.profile))
    from deploy.settings_pages import env_example, settings_page  # noqa: PLC0415

    return env_example() if asked.env else settings_page()


def _migrate() -> int:
    from persistence.__main__ import main as recorder  # noqa: PLC0415

    sys.argv[1:] = ["migrate"]  # the same door as `python -m persistence migrate`
    return recorder()
