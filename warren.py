"""Warren's public face: what a job's author imports, and the `warren` command.

    from warren import job, progress, submit, submit_now, PermanentError, RetryAfter, Snooze     # in job modules
    from warren import visit, fetch, read_article, select, title_and_preview, canonical_url, read_capped, extractor
    from warren import bring, Mail, Attachment, send_mail
    from warren import run_inline                                                               # in their tests
    from warren import Client, SyncClient, submit_in, JobFailed, NotFound, Refused, Unavailable  # everywhere else

Nothing is loaded before it is used, so a service that only wants one name does not pay for the engine; nor does the
command, which prints what an operator asks about a Warren without touching one (`migrate`, `restore`, `why`, `logs`,
`schedules` and `demo` excepted).
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from wire import version

__version__ = version.VERSION
MOST_A_SECOND: Final = 500  # a demo, not a benchmark: `python -m tests.bench` asks how fast it can be

if TYPE_CHECKING:
    from actors.context import cancelled, context, progress, trace_environment
    from actors.ends import PermanentError, RetryAfter, Snooze
    from actors.inline import inline, run_inline
    from actors.job import job
    from actors.sender import broker
    from actors.submit import submit, submit_now
    from actors.trades.inputs.bring import bring
    from actors.trades.mailing.mail import Attachment, Mail
    from actors.trades.mailing.send import send_mail
    from actors.trades.operations.registry import operation
    from actors.trades.outbound.document import Document
    from actors.trades.outbound.failures import Forbidden, TooLarge, TooSlow, Unreachable
    from actors.trades.outbound.fetch import fetch
    from actors.trades.outbound.here import outbound
    from actors.trades.politeness.visit import visit
    from actors.trades.reading.document import canonical_url, read_article, read_capped, select, title_and_preview
    from actors.trades.reading.extractors import extractor
    from gateway.client.blocking import SyncClient
    from gateway.client.calls import Client, new_job
    from gateway.client.failures import (
        BatchFailed,
        BatchStillOpen,
        CrawlFailed,
        CrawlStillOpen,
        JobFailed,
        NotConfirmed,
        NotFound,
        StillOpen,
    )
    from persistence.accepting.transactional import submit_in
    from wire.errors import Refused, Unavailable

_HOMES = {
    "job": "actors.job",
    "context": "actors.context",
    "progress": "actors.context",
    "cancelled": "actors.context",
    "trace_environment": "actors.context",
    "PermanentError": "actors.ends",
    "RetryAfter": "actors.ends",
    "Snooze": "actors.ends",
    "Attachment": "actors.trades.mailing.mail",
    "Mail": "actors.trades.mailing.mail",
    "send_mail": "actors.trades.mailing.send",
    "operation": "actors.trades.operations.registry",
    "outbound": "actors.trades.outbound.here",
    "Document": "actors.trades.outbound.document",
    "Forbidden": "actors.trades.outbound.failures",
    "TooLarge": "actors.trades.outbound.failures",
    "TooSlow": "actors.trades.outbound.failures",
    "Unreachable": "actors.trades.outbound.failures",
    "broker": "actors.sender",
    "submit": "actors.submit",
    "submit_now": "actors.submit",
    "inline": "actors.inline",
    "run_inline": "actors.inline",
    "bring": "actors.trades.inputs.bring",
    "visit": "actors.trades.politeness.visit",
    "fetch": "actors.trades.outbound.fetch",
    "read_article": "actors.trades.reading.document",
    "select": "actors.trades.reading.document",
    "title_and_preview": "actors.trades.reading.document",
    "canonical_url": "actors.trades.reading.document",
    "read_capped": "actors.trades.reading.document",
    "extractor": "actors.trades.reading.extractors",
    "Client": "gateway.client.calls",
    "new_job": "gateway.client.calls",
    "SyncClient": "gateway.client.blocking",
    "BatchFailed": "gateway.client.failures",
    "BatchStillOpen": "gateway.client.failures",
    "CrawlFailed": "gateway.client.failures",
    "CrawlStillOpen": "gateway.client.failures",
    "JobFailed": "gateway.client.failures",
    "NotConfirmed": "gateway.client.failures",
    "NotFound": "gateway.client.failures",
    "StillOpen": "gateway.client.failures",
    "submit_in": "persistence.accepting.transactional",
    "Refused": "wire.errors",
    "Unavailable": "wire.errors",
}
__all__ = [
    "Attachment", "BatchFailed", "BatchStillOpen", "Client", "CrawlFailed", "CrawlStillOpen", "Document",
    "Forbidden", "JobFailed", "Mail", "NotConfirmed", "NotFound", "PermanentError", "Refused", "RetryAfter",
    "Snooze", "StillOpen", "SyncClient", "TooLarge", "TooSlow", "Unavailable", "Unreachable", "bring", "broker",
    "cancelled", "canonical_url", "context", "extractor", "fetch", "inline", "job", "new_job", "operation", "outbound",
    "progress", "read_article", "read_capped", "run_inline", "select", "send_mail", "submit", "submit_in",
    "submit_now", "title_and_preview", "trace_environment", "visit",
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
        known = "why, logs, schedules, demo, job-types, restore, settings, metrics, topology, migrate or version"
        parser.error(f"say what you want: {known}")
    done: int = _DOES.get(asked.command, _print)(asked)
    return done


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("warren", description="Ask about a Warren.")
    commands = parser.add_subparsers(dest="command", parser_class=_Parser, metavar="command")
    why = commands.add_parser("why", help="why a job does not run, or how it stands, in one sentence")
    why.add_argument("id", help="the job's id")
    why.add_argument("--timeline", action="store_true", help="what has happened to it, too")
    _at_a_gateway(why)
    logs = commands.add_parser("logs", help="what a job has logged: docs/logs.md")
    logs.add_argument("id", help="the job's id")
    logs.add_argument("--follow", "-f", action="store_true", help="and what it logs from now on, until it has ended")
    logs.add_argument("--attempt", type=int, help="of this attempt only")
    logs.add_argument("--limit", type=int, help="at most so many of the last lines")
    _at_a_gateway(logs)
    _schedules_parser(commands.add_parser("schedules", help="list, show, preview, pause, resume or trigger them"))
    settings = commands.add_parser("settings", help="all settings: docs/settings.md")
    settings.add_argument("--env", action="store_true", help="as a .env file instead: .env.example")
    job_types = commands.add_parser("job-types", help="what the job types take and return: docs/job-types.md")
    job_types.add_argument("modules", nargs="*", metavar="module", help="modules of your own: of their types instead")
    commands.add_parser("metrics", help="all metrics: docs/metrics.md")
    topology = commands.add_parser("topology", help="the exchanges, queues and bindings on the broker")
    topology.add_argument("--profile", choices=("classic", "quorum"), default="classic", help="of this kind of queue")
    commands.add_parser("migrate", help="bring the schema in DATABASE_URL up to date")
    demo = commands.add_parser("demo", help="submit a lifelike mixture of jobs: docs/demo.md")
    demo.add_argument(
        "--rate", type=_rate, default=20.0, help="jobs a second, not counting their children (default: 20)"
    )
    demo.add_argument(
        "--duration", type=_duration, default=60.0, help="60, 90s, 5m or 8h; 0: until Ctrl-C (default: 60)"
    )
    restore = commands.add_parser("restore", help="bring back what backup_task has kept: docs/backup.md")
    restore.add_argument("backup", help="the backup's address, as its job gave it; of a folder the newest in it")
    restore.add_argument("--to", required=True, help="postgresql://user@host/database, or an empty folder")
    restore.add_argument("--force", action="store_true", help="replace what is there")
    restore.add_argument("--owners", action="store_true", help="with the owners and the rights that it had")
    commands.add_parser("version", help="the version of Warren")
    return parser


def _schedules_parser(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", parser_class=_Parser, metavar="verb")
    listed = verbs.add_parser("list", help="the newest ones; so does no verb")
    listed.add_argument("--state", choices=("active", "paused", "ended"))
    for word, name in (("--type", "job_type"), ("--name", "name"), ("--tag", "tag"), ("--cursor", "cursor")):
        listed.add_argument(word, dest=name)
    listed.add_argument("--limit", type=int, help="at most so many")
    show = verbs.add_parser("show", help="how it stands, when it will be due, how its last runs went")
    preview = verbs.add_parser("preview", help="when one will be due, or would be")
    for one, many in ((show, "so many due times and runs"), (preview, "so many due times")):
        one.add_argument("-n", type=int, default=5, help=f"{many} (default: 5)")
    preview.add_argument("--cron", action="append", metavar="EXPRESSION", help="as this cron expression would be")
    preview.add_argument("--every", type=float, metavar="SECONDS", help="as this interval would be")
    preview.add_argument("--once", metavar="INSTANT", help="as this instant would be")
    preview.add_argument("--timezone", metavar="ZONE", help="in this zone, by its IANA name")
    pause = verbs.add_parser("pause", help="let it stand still")
    pause.add_argument("--note", help="why")
    pause.add_argument("--by", help="who")
    others = [verbs.add_parser("resume", help="let it go on"), verbs.add_parser("trigger", help="run its job now")]
    for takes in (show, preview, pause, *others):
        takes.add_argument(
            "schedule", nargs="?" if takes is preview else None, help="its id, or a name that only it has"
        )
    for asks in (parser, listed, show, preview, pause, *others):
        _at_a_gateway(asks)


def _at_a_gateway(parser: argparse.ArgumentParser) -> None:
    where = "the gateway; WARREN_URL says which, else http://127.0.0.1:8000"
    parser.add_argument("--url", help=where, default=argparse.SUPPRESS)  # or a verb's would hide the one before it


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= MOST_A_SECOND:
        raise argparse.ArgumentTypeError(f"a rate is above 0 and at most {MOST_A_SECOND} jobs a second, got {text!r}")
    return rate


def _duration(text: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([smh]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"a duration is 60, 90s, 5m or 8h, got {text!r}")
    return float(found[1]) * {"m": 60, "h": 3600}.get(found[2], 1)


def _print(asked: argparse.Namespace) -> int:
    sys.stdout.write(_page(asked))
    return 0


def _page(asked: argparse.Namespace) -> str:
    if asked.command == "version":
        return f"warren {__version__}\n"
    if asked.command == "topology":
        from deploy.pages.topology import topology_page  # noqa: PLC0415 - loaded when used
        from wire.topology import Profile  # noqa: PLC0415

        return topology_page(Profile(asked.profile))
    if asked.command == "metrics":
        from deploy.pages.metrics import metrics_page  # noqa: PLC0415

        return metrics_page()
    from deploy.pages.settings import env_example, settings_page  # noqa: PLC0415

    return env_example() if asked.env else settings_page()


def _demo(asked: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - loaded when used
    import os  # noqa: PLC0415

    from deploy.demo import run  # noqa: PLC0415
    from deploy.terminal.options import read_dotenv  # noqa: PLC0415

    local = read_dotenv(Path(".warren/env"))  # as `deploy/up` writes it; what the shell knows wins
    return asyncio.run(run.run(asked.rate, asked.duration, {**local, **os.environ}))


def _job_types(asked: argparse.Namespace) -> int:
    from actors.described.page import job_types_page  # noqa: PLC0415 - loaded when used
    from wire.errors import SettingsError  # noqa: PLC0415

    try:
        sys.stdout.write(job_types_page(asked.modules))
    except SettingsError as e:
        print(*e.faults, sep="\n", file=sys.stderr)  # noqa: T201 - for the person who asked
        return 2
    return 0


def _restore(asked: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - loaded when used
    import os  # noqa: PLC0415

    from actors.trades.backups.restore import brought_back  # noqa: PLC0415
    from actors.trades.backups.wanted import Wanted  # noqa: PLC0415
    from deploy.terminal.options import read_dotenv  # noqa: PLC0415

    for name, value in read_dotenv(Path(".warren/env")).items():  # as `deploy/up` writes it: the key, the places
        os.environ.setdefault(name, value)
    return asyncio.run(brought_back(Wanted(asked.backup, asked.to, force=asked.force, owners=asked.owners)))


def _why(asked: argparse.Namespace) -> int:
    from gateway.client.why_page import tell  # noqa: PLC0415 - loaded when used

    return tell(asked.id, getattr(asked, "url", None), timeline=asked.timeline)


def _logs(asked: argparse.Namespace) -> int:
    from gateway.client.logs_page import tell  # noqa: PLC0415 - loaded when used

    url = getattr(asked, "url", None)
    return tell(asked.id, url, follow=asked.follow, attempt=asked.attempt, limit=asked.limit)


def _schedules(asked: argparse.Namespace) -> int:
    from gateway.client.schedules_page import tell  # noqa: PLC0415 - loaded when used

    return tell(asked)


def _migrate(_: argparse.Namespace) -> int:
    from persistence.__main__ import main as recorder  # noqa: PLC0415

    sys.argv[1:] = ["migrate"]  # the same door as `python -m persistence migrate`
    return recorder()


_DOES: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "migrate": _migrate, "why": _why, "logs": _logs, "schedules": _schedules, "job-types": _job_types,
    "restore": _restore, "demo": _demo,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
