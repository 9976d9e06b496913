"""What is wrong with a payload is told at the door, with the path to the field, for each type that is shipped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from persistence.declared.job_types import register
from persistence.declared.payloads import check
from tests.room.gateway.running import Running, gateway
from tests.shipped import shipped
from wire.errors import Refused
from wire.settings import Stores
from wire.slices.backup import Backup
from wire.slices.datasets import Datasets
from wire.slices.reports import Reports

pytestmark = pytest.mark.asyncio(loop_scope="module")

URL = "https://example.com/"
ARTIFACT = "01a1ff97-c178-7cb6-8921-b2cb226f692d"
PLACES = Backup(places=("s3://backups/=/srv/backups/",), folders=("/srv/files",))
BACKUP = {"backup_type": "database", "destination": "s3://backups/db/"}
MIGRATED = {"source": "legacy_db", "destination": "new_db"}
MIGRATION = {"operation": "data_migration", "parameters": MIGRATED}
DATA = {"dataset": "sales_data", "operation": "aggregate"}
ADA = "ada@example.com"
BAD: list[tuple[str, Any, str]] = [  # type, payload, the field that the refusal names
    ("echo", [], "payload"),
    ("sleep", {}, "payload.duration"),
    ("sleep", {"duration": -1}, "payload.duration"),
    ("sleep", {"duration": 604_801}, "payload.duration"),
    ("sleep", {"duration": "long"}, "payload.duration"),
    ("sleep", {"duration": 1, "seconds": 1}, "payload.seconds"),
    ("math", {"operation": "add", "a": 1}, "payload.b"),
    ("math", {"operation": "sqrt", "a": 1, "b": 1}, "payload.operation"),
    ("math", {"operation": "add", "a": "one", "b": 1}, "payload.a"),
    ("math", {"operation": "add", "a": 1, "b": None}, "payload.b"),
    ("random_failure", {"failure_rate": 1.1}, "payload.failure_rate"),
    ("random_failure", {"failure_rate": "often"}, "payload.failure_rate"),
    ("random_failure", {"seed": 0.5}, "payload.seed"),
    ("http_request", {"method": "GET"}, "payload.url"),
    ("http_request", {"url": ""}, "payload.url"),
    ("http_request", {"url": URL, "headers": {"X": 1}}, "payload.headers.X"),
    ("http_request", {"url": URL, "timeout": 0}, "payload.timeout"),
    ("http_request", {"url": URL, "timeout": 301}, "payload.timeout"),
    ("http_request", {"url": URL, "expect_status": 99}, "payload.expect_status"),
    ("http_request", {"url": URL, "follow": True}, "payload.follow"),
    ("scrape_article", {}, "payload.url"),
    ("scrape_article", {"url": 7}, "payload.url"),
    ("scrape_article", {"url": URL, "max_age": -1}, "payload.max_age"),
    ("scrape_website", {"url": URL, "selector": ""}, "payload.selector"),
    ("scrape_website", {"url": URL, "selectors": {"a": {"select": "h1", "take": "all"}}}, "payload.selectors.a.take"),
    ("scrape_website", {"url": URL, "selector": "h1", "timeout": 0}, "payload.timeout"),
    ("crawl_url", {"url": URL, "depth": 21}, "payload.depth"),
    ("crawl_url", {"url": URL, "pages": 0}, "payload.pages"),
    ("crawl_url", {"url": URL, "path": "docs"}, "payload.path"),
    ("cleanup_task", {"cleanup_type": "temp_files"}, "payload.path"),
    ("cleanup_task", {"cleanup_type": "everything", "path": "/tmp/application_cache"}, "payload.cleanup_type"),
    ("cleanup_task", {"path": "/tmp/application_cache", "retention_days": -1}, "payload.retention_days"),
    ("cleanup_task", {"path": "/tmp/application_cache", "dry_run": "perhaps"}, "payload.dry_run"),
    ("cleanup_task", {"path": "/etc"}, "payload.path"),
    ("cleanup_task", {"path": "/tmp/application_cache/../../etc"}, "payload.path"),
    ("cleanup_task", {"path": "application_cache"}, "payload.path"),
    ("backup_task", {"backup_type": "database"}, "payload.destination"),
    ("backup_task", {**BACKUP, "backup_type": "everything"}, "payload.backup_type"),
    ("backup_task", {**BACKUP, "encryption": True}, "payload.encryption"),  # without a key
    ("backup_task", {**BACKUP, "compression": "zstd"}, "payload.compression"),
    ("backup_task", {**BACKUP, "keep": 0}, "payload.keep"),
    ("backup_task", {**BACKUP, "name": "../../x"}, "payload.name"),
    ("backup_task", {**BACKUP, "source": "/etc"}, "payload.source"),
    ("backup_task", {**BACKUP, "destination": "ftp://backups/"}, "payload.destination"),
    ("backup_task", {**BACKUP, "backup_type": "files"}, "payload.source"),
    ("backup_task", {**BACKUP, "backup_type": "files", "source": "/etc"}, "payload.source"),
    ("backup_task", {**BACKUP, "destination": "s3://backups/../db"}, "payload.destination"),
    ("send_email", {"subject": "Hello"}, "payload.to"),
    ("send_email", {"to": ADA, "subject": "Hello", "form": "html"}, "payload.form"),
    ("email_notification", {}, "payload.recipient"),
    ("email_notification", {"recipient": "a@example.com\nBcc: b@example.com"}, "payload.recipient"),
    ("email_notification", {"recipient": "a@example.com", "subject": "a\nb"}, "payload.subject"),
    ("process_video", {"output_format": "mp4"}, "payload.video_url"),
    ("process_video", {"video_url": "file:///etc/passwd"}, "payload.video_url"),
    ("process_video", {"video_url": "concat:a|b"}, "payload.video_url"),
    ("process_video", {"video_url": URL, "output_format": "exe"}, "payload.output_format"),
    ("process_video", {"video_url": URL, "duration": 0}, "payload.duration"),
    ("process_video", {"video_url": URL, "width": 100_000}, "payload.width"),
    ("process_video", {"artifact": "../x"}, "payload.artifact"),
    ("process_video", {"video_url": "sample:shoes"}, "payload.video_url"),
    ("process_video", {"video_url": URL, "artifact": ARTIFACT}, "payload.video_url"),
    ("data_processing", {"operation": "aggregate"}, "payload.dataset"),
    ("data_processing", {**DATA, "dataset": "orders"}, "payload.dataset"),  # without a folder of WARREN_DATASETS
    ("data_processing", {**DATA, "dataset": "../orders.csv"}, "payload.dataset"),
    ("data_processing", {**DATA, "dataset": "sample:shoes"}, "payload.dataset"),
    ("data_processing", {**DATA, "dataset": "ftp://example.com/a.csv"}, "payload.dataset"),
    (
        "data_processing",
        {**DATA, "operation": "join", "parameters": {"right": "shops", "on": ["shop"]}},
        "payload.parameters.right",
    ),
    ("data_processing", {**DATA, "operation": "drop"}, "payload.operation"),
    ("data_processing", {**DATA, "operation": "filter"}, "payload.parameters"),
    ("data_processing", {**DATA, "parameters": {"record_count": 0}}, "payload.parameters.record_count"),
    ("data_processing", {**DATA, "parameters": {"aggregation_type": "guess"}}, "payload.parameters.aggregation_type"),
    ("data_processing", {**DATA, "parameters": {"where": ["amount > 1"]}}, "payload.parameters.where.0"),
    (
        "data_processing",
        {**DATA, "parameters": {"where": [{"column": "a", "op": "eval"}]}},
        "payload.parameters.where.0.op",
    ),
    ("data_processing", {**DATA, "parameters": {"group": ["region"]}}, "payload.parameters.group"),
    (
        "data_processing",
        {**DATA, "operation": "convert", "parameters": {"format": "xlsx"}},
        "payload.parameters.format",
    ),
    ("report_generation", {"format": "pdf"}, "payload.report_type"),
    ("report_generation", {"report_type": "weather"}, "payload.report_type"),
    ("report_generation", {"report_type": "sales", "format": "docx"}, "payload.format"),
    ("report_generation", {"report_type": "sales", "template": "glossy"}, "payload.template"),
    ("report_generation", {"report_type": "sales", "template": "../glossy"}, "payload.template"),
    ("report_generation", {"report_type": "sales", "dataset": "orders"}, "payload.dataset"),
    ("report_generation", {"report_type": "sales", "date_range": "someday"}, "payload.date_range"),
    ("report_generation", {"report_type": "sales", "date_range": {"from": "2026-01-01"}}, "payload.date_range.to"),
    ("report_generation", {"report_type": "sales", "recipients": "a@example.com"}, "payload.recipients"),
    ("report_generation", {"report_type": "sales", "recipients": ["nobody"]}, "payload.recipients.0"),
    ("data_processing", {**DATA, "parameters": {"record_count": 10**30}}, "payload.parameters.record_count"),
    ("data_processing", {**DATA, "operation": "group_by", "parameters": {"by": []}}, "payload.parameters.by"),
    ("custom", {"parameters": {}}, "payload.operation"),
    ("custom", {"operation": "rm"}, "payload.operation"),
    ("custom", {**MIGRATION, "parameters": {**MIGRATED, "batch_size": 0}}, "payload.parameters.batch_size"),
    ("custom", {**MIGRATION, "parameters": {"source": "legacy_db"}}, "payload.parameters.destination"),
    ("custom", {**MIGRATION, "parameters": []}, "payload.parameters"),
    ("custom", {**MIGRATION, "arguments": {}}, "payload.arguments"),
    ("send_email", {"to": ADA}, "payload.subject"),
    ("send_email", {"to": 7, "subject": "Hello"}, "payload.to"),
    ("send_email", {"to": [], "subject": "Hello"}, "payload.to"),
    ("send_email", {"to": "nobody", "subject": "Hello"}, "payload.to"),
    ("send_email", {"to": "ada@example.com, bob@example.com", "subject": "Hello"}, "payload.to"),
    ("send_email", {"to": f"{ADA}\r\nBcc: eve@example.com", "subject": "Hello"}, "payload.to"),
    ("send_email", {"to": [ADA, "nobody"], "subject": "Hello"}, "payload.to.1"),
    ("send_email", {"to": [ADA] * 101, "subject": "Hello"}, "payload.to"),
    ("send_email", {"to": ADA, "cc": ["nobody"], "subject": "Hello"}, "payload.cc.0"),
    ("send_email", {"to": ADA, "bcc": [7], "subject": "Hello"}, "payload.bcc.0"),
    ("send_email", {"to": ADA, "reply_to": "nobody", "subject": "Hello"}, "payload.reply_to"),
    ("send_email", {"to": ADA, "subject": "Hello\r\nBcc: eve@example.com"}, "payload.subject"),
    ("send_email", {"to": ADA, "subject": "x" * 901}, "payload.subject"),
    ("send_email", {"to": ADA, "subject": "Hello", "body": ["text"]}, "payload.body"),
    ("send_email", {"to": ADA, "subject": "Hello", "html": 7}, "payload.html"),
    ("send_email", {"to": ADA, "subject": "Hello", "attachments": "a"}, "payload.attachments"),
    ("send_email", {"to": ADA, "subject": "Hello", "attachments": ["sample:clip"] * 51}, "payload.attachments"),
    ("send_email", {"to": ADA, "subject": "Hello", "attachments": [""]}, "payload.attachments.0"),
    ("send_email", {"to": ADA, "subject": "Hello", "attachments": ["../../etc/passwd"]}, "payload.attachments.0"),
    ("send_email", {"to": ADA, "subject": "Hello", "attachments": ["file:///etc/passwd"]}, "payload.attachments.0"),
    ("send_email", {"to": ADA, "subject": "Hello", "attachments": [{"name": "a"}]}, "payload.attachments.0.artifact"),
    (
        "send_email",
        {"to": ADA, "subject": "Hello", "attachments": [{"artifact": "sample:clip", "name": "../b"}]},
        "payload.attachments.0.name",
    ),
    ("send_email", {"to": ADA, "subject": "Hello", "failure_rate": 1.1}, "payload.failure_rate"),
    ("send_email", {"recipient": ADA, "subject": "Hello"}, "payload.to"),
    ("email_notification", {"subject": "Hello"}, "payload.recipient"),
    ("email_notification", {"recipient": "nobody"}, "payload.recipient"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(stores: Stores) -> AsyncIterator[Running]:
    """A gateway that knows them."""
    async with gateway(stores) as one:
        await register(one.room.database, list(shipped(PLACES).values()))
        yield one


@pytest.mark.parametrize(
    ("job_type", "payload", "field"), BAD, ids=[f"{name} {json.dumps(payload)[:60]}" for name, payload, _ in BAD]
)
async def test_a_bad_payload_is_refused_with_its_field(
    running: Running, job_type: str, payload: Any, field: str
) -> None:
    answer = await running.submit({"type": job_type, "payload": payload}, 422)

    assert field == answer["field"], answer
    assert answer["detail"]


async def test_a_template_that_no_worker_has_is_refused_with_those_that_there_are(running: Running) -> None:
    asked = {"type": "report_generation", "payload": {"report_type": "sales", "template": "glossy"}}
    answer = await running.submit(asked, 422)

    assert "known: monthly_summary, standard" in json.dumps(answer)


async def test_what_a_worker_has_is_told_to_the_doors(tmp_path: Path) -> None:
    """
    When it registers the type: its templates by name, and of datasets whether it has folders.  What is in those comes
    and goes, and is for the job to say.
    """
    (tmp_path / "glossy.html").touch()
    types = shipped(Reports(report_templates=str(tmp_path)), Datasets(datasets=(str(tmp_path),)))
    report, data = types["report_generation"], types["data_processing"]
    for dataset in ("2026/orders.csv", "sales_data", ARTIFACT, URL, "sample:sales_data"):
        check({"report_type": "sales", "template": "glossy", "dataset": dataset}, report)
    with pytest.raises(Refused) as refused:
        check({"report_type": "sales", "template": "dull"}, report)
    for dataset in ("../orders.csv", ".hidden", "sample:shoes", "file:///etc/passwd"):
        with pytest.raises(Refused, match=r"^payload\.dataset"):
            check({**DATA, "dataset": dataset}, data)

    assert ("payload.template", "known: glossy, monthly_summary, standard") == (
        refused.value.field,
        refused.value.remedy,
    )


async def test_no_type_is_left_out(running: Running) -> None:
    assert set(shipped()) == {name for name, *_ in BAD}
