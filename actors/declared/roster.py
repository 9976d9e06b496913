"""Which job types this process serves, as their declarations and the settings make them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import dramatiq

from actors.codec import STOCK_SCHEMA, is_job
from actors.declared.job_options import JobOptions
from persistence.declared.job_types import JobType
from wire.errors import Refused, SettingsError
from wire.fields import LONGEST_TIMEOUT, check_type
from wire.settings import Limits


def job_types(actors: Mapping[str, dramatiq.Actor[Any, Any]], limits: Limits) -> dict[str, JobType]:
    """The types of all declared actors; SettingsError with every name that cannot travel."""
    types, faults = {}, []
    for name, actor in sorted(actors.items()):
        try:
            types[name] = job_type(actor, limits)
        except Refused as e:
            faults.append(f"the actor {name} of {actor.fn.__module__} cannot be a job type: {e.problem}; {e.remedy}")
    if faults:
        raise SettingsError(faults)
    return types


def served(types: Mapping[str, JobType], queues: tuple[str, ...]) -> dict[str, JobType]:
    """Those in these queues; no queues means all."""
    chosen = {name: t for name, t in types.items() if not queues or t.queue in queues}
    empty = set(queues) - {t.queue for t in types.values()}
    if empty:
        known = ", ".join(sorted({t.queue for t in types.values()}))
        raise SettingsError([f"WARREN_QUEUES names {', '.join(sorted(empty))}, which no job type uses; known: {known}"])
    return chosen


def job_type(actor: dramatiq.Actor[Any, Any], limits: Limits) -> JobType:
    """A type as it is registered."""
    name = check_type(actor.actor_name)
    options: JobOptions | None = actor.options["job"] if is_job(actor) else None
    return JobType(
        name=name,
        queue=actor.queue_name,
        description=options.description if options else (actor.fn.__doc__ or "").strip(),
        payload_schema=json.dumps(options.schema if options else STOCK_SCHEMA),
        priority=options.priority if options else 5,
        max_retries=_first(_option(actor, "max_retries"), options and options.max_retries, limits.default_max_retries),
        timeout_seconds=_first(
            _millis(actor, "time_limit"), options and options.timeout_seconds, limits.default_timeout_seconds
        ),
        retry_base_seconds=_first(
            _millis(actor, "min_backoff"), options and options.retry_base_seconds, limits.retry_base_seconds
        ),
        retry_max_seconds=_first(
            _millis(actor, "max_backoff"), options and options.retry_max_seconds, limits.retry_max_seconds
        ),
        result_schema=json.dumps(options.result_schema) if options and options.result_schema else None,
    )


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _option(actor: dramatiq.Actor[Any, Any], name: str) -> Any:
    return actor.options.get(name)


def _millis(actor: dramatiq.Actor[Any, Any], name: str) -> float | None:
    value = actor.options.get(name)
    return min(value / 1000, LONGEST_TIMEOUT) if isinstance(value, int | float) else None  # stock actors say infinity
