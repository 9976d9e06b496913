"""Read all settings, once: from the environment, then from `.env`; every fault is told at once, a near miss is guessed.

An unknown `WARREN_` name refuses to start: a misspelt limit that is silently ignored is found in production.  Secrets
are never printed.  The environment wins over `.env`, whichever of a setting's names either of them uses.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from wire.errors import SettingsError
from wire.slices import (
    PREFIX,
    Children,
    Gateway,
    Limits,
    Logs,
    Metrics,
    Outbound,
    Politeness,
    Scheduler,
    Slice,
    Stores,
    Worker,
    environment_names,
    postgres_url,
)
from wire.slices.artifacts import Artifacts
from wire.slices.backup import Backup
from wire.slices.cleanup import Cleanup
from wire.slices.datasets import Datasets
from wire.slices.films import Films
from wire.slices.mailing import Mailing
from wire.slices.operations import Operations
from wire.slices.reports import Reports

__all__ = [
    "Artifacts", "Backup", "Children", "Cleanup", "Gateway", "Limits", "Logs", "Mailing", "Metrics", "Operations",
    "Outbound", "Politeness", "Scheduler", "Settings", "Slice", "Stores", "Worker", "environment_names", "fields",
    "load", "postgres_url",
]  # fmt: skip

SCRIPTS_OWN: Final = {"WARREN_URL", "WARREN_GRPC_TARGET", "WARREN_API_KEY"}  # given to shells by `.warren/env`

_NO_REDIS: Final = "RabbitMQ carries the jobs and Postgres remembers them; Redis is not used"
_NO_MONGO: Final = "Postgres remembers the jobs; MongoDB is not used"
_BY_ITSELF: Final = "not used; Kubernetes sets these names by itself, so they do not stop Warren"
# Exact names, because Kubernetes puts REDIS_PORT and REDIS_SERVICE_HOST into every pod beside a service called redis.
REPLACED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("REDIS_URL", "REDIS_HOST", "REDIS_PASSWORD", "REDIS_DB"), _NO_REDIS),
    **dict.fromkeys(("MONGO_URI", "MONGO_URL", "MONGO_HOST", "MONGO_DB", "MONGODB_URI", "MONGODB_URL"), _NO_MONGO),
}
# Set for another system, or for something that Warren has no need of: it starts all the same.
IGNORED: Final[Mapping[str, str]] = {
    "RABBITMQ_QUEUE": "a queue belongs to a job type, `@job(queue=…)`; WARREN_QUEUES says which a worker serves",
    **dict.fromkeys(("REDIS_PORT", "MONGO_PORT"), _BY_ITSELF),
    **dict.fromkeys(("SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_DATABASE_URL"), "Warren reads DATABASE_URL"),
    "CELERY_BROKER_URL": "Celery may run beside Warren; Warren reads AMQP_URL",
    "CELERY_RESULT_BACKEND": "results are in Postgres, at DATABASE_URL",
    "LEADER_LOCK_KEY": "there is no leader; schedulers share the segments by locks of their own numbers",
    "SECRET_KEY": "nothing is signed: callers prove themselves with WARREN_API_KEYS",
}  # fmt: skip


class Settings:
    """All slices; a process hands each part the one it needs."""

    slices: Final[Mapping[str, type[Slice]]] = {
        "stores": Stores, "limits": Limits, "worker": Worker, "children": Children, "outbound": Outbound,
        "politeness": Politeness, "gateway": Gateway, "scheduler": Scheduler, "logs": Logs, "metrics": Metrics,
        "artifacts": Artifacts,
        "cleanup": Cleanup, "datasets": Datasets,
        "films": Films,
        "mailing": Mailing,
        "reports": Reports,
        "backup": Backup,
        "operations": Operations,
    }  # fmt: skip
    stores: Stores
    limits: Limits
    worker: Worker
    children: Children
    outbound: Outbound
    operations: Operations
    politeness: Politeness
    gateway: Gateway
    scheduler: Scheduler
    logs: Logs
    metrics: Metrics
    artifacts: Artifacts
    cleanup: Cleanup
    datasets: Datasets
    films: Films
    mailing: Mailing
    reports: Reports
    backup: Backup


class Said(NamedTuple):
    """A value and the name under which it was found, so that a fault names what the person wrote."""

    name: str
    value: str


def load(*only: str) -> Settings:
    """The settings of this process, or SettingsError with all faults; a command may need some slices only."""
    sources = [_set(os.environ), _set(_dotenv())]
    settings, faults = Settings(), [*_unknown(sources), *_replaced(sources)]
    for name, slice_class in Settings.slices.items():
        if only and name not in only:
            continue
        said = _said(slice_class, sources)
        try:
            setattr(settings, name, slice_class.model_validate({field: found.value for field, found in said.items()}))
        except ValidationError as e:
            faults += _told(slice_class, said, e)
    if faults:
        raise SettingsError(sorted(faults))
    return settings


def fields() -> Iterator[tuple[type[Slice], str, FieldInfo]]:
    """Every field of every slice, for the generated pages."""
    for slice_class in Settings.slices.values():
        for field, info in slice_class.model_fields.items():
            yield slice_class, field, info


def _dotenv() -> Mapping[str, str | None]:
    try:
        return dotenv_values(".env")
    except UnicodeDecodeError:
        raise SettingsError([".env is not UTF-8"]) from None


def _set(names: Mapping[str, str | None]) -> dict[str, str]:
    """An empty value counts as not set."""
    return {name: value for name, value in names.items() if value}


def _said(slice_class: type[Slice], sources: list[dict[str, str]]) -> dict[str, Said]:
    found: dict[str, Said] = {}
    for field in slice_class.model_fields:
        names = environment_names(slice_class, field)
        said = (Said(name, source[name]) for source in sources for name in names if name in source)
        if first := next(said, None):
            found[field] = first
    return found


def _unknown(sources: list[dict[str, str]]) -> Iterator[str]:
    known = {name for owner, field, _ in fields() for name in environment_names(owner, field)} | SCRIPTS_OWN
    for name in sorted({name for source in sources for name in source}):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            yield f"unknown {name}" + (f" ({near[0]}?)" if near else "")


def _replaced(sources: list[dict[str, str]]) -> Iterator[str]:
    for name, why in REPLACED.items():
        if any(name in source for source in sources):
            yield f"{name} is set, but {why}"


def _told(slice_class: type[Slice], said: Mapping[str, Said], error: ValidationError) -> Iterator[str]:
    by_name = {name: field for field in slice_class.model_fields for name in environment_names(slice_class, field)}
    for fault in error.errors(include_url=False):
        if not fault["loc"]:  # two settings that do not go together
            yield _plain(fault)
            continue
        field = by_name.get(str(fault["loc"][0]), str(fault["loc"][0]))
        yield _sentence(environment_names(slice_class, field), said.get(field), fault)


def _sentence(names: list[str], said: Said | None, fault: ErrorDetails) -> str:
    if said is None:
        return f"{names[min(1, len(names) - 1)]} is missing"  # the short name, which people know
    if any(word in said.name for word in ("URL", "KEY", "PROXY", "PASSWORD")):  # a secret is never printed
        return f"{said.name} {_plain(fault)}"
    return f"{said.name} {_plain(fault)}, got {said.value[:100]!r}"


def _plain(fault: ErrorDetails) -> str:
    return fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
