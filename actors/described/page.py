"""The tables of docs/job-types.md, written from the declarations themselves, so that they cannot be wrong for long.

Printed by `warren job-types`; a test compares the page's end with what is printed.  With modules of your own it prints
the same of their types.  What a field takes is told in words (schema_words.py); who wants the schemas themselves asks
`GET /api/v1/job-types`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import dramatiq

from actors.broker import JobBroker
from actors.catalogue import __name__ as catalogue
from actors.declared.roster import job_types
from actors.described.schema_words import SchemaWords, cell, default
from actors.process.modules import load_job_modules
from actors.sender import NOWHERE
from persistence.declared.job_types import JobType
from wire.settings import Limits

MARK: Final = "<!-- From here on printed by `warren job-types`; change actors/catalogue, not this page. -->\n"
Schema = Mapping[str, Any]
Row = Callable[[Schema, bool, SchemaWords], str]
UNITS: Final = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))
PAYLOAD_HEAD: Final = "| field | takes | default | what it is for |\n|---|---|---|---|\n"
RESULT_HEAD: Final = "| field | is | what it says |\n|---|---|---|\n"


def job_types_page(modules: Sequence[str] = ()) -> str:
    """The end of docs/job-types.md; of these modules' types instead, SettingsError if one cannot be loaded."""
    broker = JobBroker(NOWHERE, Limits(), "page")
    dramatiq.set_broker(broker)
    load_job_modules(tuple(modules))
    wanted = {n: a for n, a in broker.actors.items() if a.fn.__module__.startswith(f"{catalogue}.") != bool(modules)}
    types = job_types(wanted, Limits())
    return MARK + _index(types) + "".join(_section(job_type) for job_type in types.values())


def _index(types: Mapping[str, JobType]) -> str:
    rows = (f"| [`{name}`](#{name.replace('.', '')}) | {cell(_first_line(t))} |\n" for name, t in types.items())
    return "\n| type | what it does |\n|---|---|\n" + "".join(rows)


def _section(job_type: JobType) -> str:
    payload = json.loads(job_type.payload_schema)
    result = json.loads(job_type.result_schema) if job_type.result_schema else None
    parts = [f"\n## {job_type.name}\n\n{job_type.description}\n", *_examples(job_type.name, payload)]
    parts += ["\n**Payload**\n\n", *_fields(payload, PAYLOAD_HEAD, _payload_row)]
    if result is not None:
        parts += ["\n**Result**\n\n", *_fields(result, RESULT_HEAD, _result_row)]
    parts.append(f"\n{_figures(job_type)}\n")
    return "".join(parts)


def _examples(name: str, payload: Mapping[str, Any]) -> Iterator[str]:
    examples = payload.get("examples", [])
    jobs = [json.dumps({"type": name, "payload": example}, ensure_ascii=False) for example in examples]
    if jobs:
        yield "\n```json\n" + "\n".join(jobs) + "\n```\n"


def _fields(schema: Schema, head: str, row: Row) -> Iterator[str]:
    """The table of a model, and of each model in it."""
    words = SchemaWords(schema)
    yield from _table(schema, head, row, words)
    for name, inner in words.models():
        yield f"\n`{name}`:\n\n"
        yield from _table(inner, head, row, words)


def _table(schema: Schema, head: str, row: Row, words: SchemaWords) -> Iterator[str]:
    fields, required = schema.get("properties", {}), schema.get("required", ())
    if fields:
        yield head
        yield from (f"| `{name}` | {row(said, name in required, words)} |\n" for name, said in fields.items())
    if schema.get("additionalProperties") is True:
        yield "Any other field is taken too.\n" if fields else "Any object.\n"


def _payload_row(said: Schema, required: bool, words: SchemaWords) -> str:
    return f"{words.takes(said)} | {'required' if required else default(said)} | {cell(said.get('description', '–'))}"


def _result_row(said: Schema, required: bool, words: SchemaWords) -> str:
    always = required or said.get("default") is not None
    return f"{words.takes(said)}{'' if always else ', or not there'} | {cell(said.get('description', '–'))}"


def _figures(job_type: JobType) -> str:
    retries = f"up to {job_type.max_retries} retries" if job_type.max_retries else "no retry"
    return (
        f"Queue `{job_type.queue}`, priority {job_type.priority}, {retries}, "
        f"at most {_time(job_type.timeout_seconds)} an attempt, unless the job says otherwise."
    )


def _time(seconds: float) -> str:
    unit, name = next((unit, name) for unit, name in UNITS if seconds % unit == 0 or unit == 1)
    return f"{seconds / unit:g} {name}"


def _first_line(job_type: JobType) -> str:
    return job_type.description.partition("\n")[0]
