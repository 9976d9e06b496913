"""Make a report: which days, what it says, how it looks, where it is kept."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final

from actors.configured import configured
from actors.context import Context, context, progress
from actors.ends import PermanentError
from actors.submit import submit
from actors.trades.reports import activity, financial, mailing, orders, sales, sheet
from actors.trades.reports.charts import drawn
from actors.trades.reports.looks import checked
from actors.trades.reports.page import page
from actors.trades.reports.pdf import pdf
from actors.trades.reports.period import Period, Word, of_word
from actors.trades.reports.report import Report
from actors.trades.reports.wanted import Days, MadeReport, WantedReport
from actors.trades.tables.datasets import found
from actors.trades.tables.opened import How, opened
from actors.trades.tables.plain import Unpacker
from actors.trades.tables.table import Table
from persistence.artifacts.artifact import Artifact
from persistence.store.database import Database
from wire.errors import Refused
from wire.settings import Stores
from wire.slices.datasets import Datasets
from wire.slices.reports import Reports
from wire.times.zones import check, zone

USUAL: Final[dict[str, Word]] = {"activity": "last_7_days", "sales": "last_month", "financial": "last_month"}
KINDS: Final = {
    "sales": (sales.looked_at, sales.report),
    "financial": (financial.looked_at, financial.report),
}
MOST_DAYS: Final = 3_660
READ, DRAWN, WRITTEN = 0.5, 0.7, 0.9  # how far a report is, roughly as the seconds are
CONTENT_TYPES: Final = {"pdf": "application/pdf", "html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Written:
    content: bytes
    pages: int | None = None


async def make(wanted: WantedReport) -> MadeReport:
    """The report, safe in the store, and with whoever is to have it."""
    here = context()
    mailing.check(wanted.recipients)
    made_at = _as_of(here, wanted)
    period = _period(wanted, made_at)
    folder = configured(Reports).report_templates
    template = None if wanted.format == "csv" else checked(wanted.template or "standard", folder)
    report = await _said(wanted, period, made_at)
    progress(READ, "read")
    written = _written(report, wanted, template, folder)
    progress(WRITTEN, "written")
    name = f"{wanted.report_type}-{period.first}-to-{period.last}.{wanted.format}"
    saved = await here.save_artifact(name, written.content, CONTENT_TYPES[wanted.format])
    return MadeReport(
        report_type=wanted.report_type, title=report.title, format=wanted.format, template=template,
        first_day=period.first, last_day=period.last, time_zone=period.time_zone, rows=len(report.detail.rows),
        pages=written.pages, artifact=str(saved.id), name=saved.name, content_type=saved.content_type,
        size_bytes=saved.size_bytes, sha256=saved.sha256, notes=list(report.notes),
        mail_job=_mailed(wanted, report, saved),
    )  # fmt: skip


def _mailed(wanted: WantedReport, report: Report, saved: Artifact) -> str | None:
    """By a job that is born if this one completes; its id."""
    if not wanted.recipients:
        return None
    return str(submit("send_email", mailing.payload(report, wanted.recipients, str(saved.id), saved.name), key="mail"))


def _as_of(here: Context, wanted: WantedReport) -> datetime:
    """When it is made, or was to be made, on the clocks of its time zone."""
    try:
        rules = zone(check(wanted.time_zone))
    except Refused as e:
        raise PermanentError(f"payload.time_zone: {e.problem}; {e.remedy}") from None
    due = here.schedule.due_at if here.schedule else datetime.now(UTC)
    return due.astimezone(rules)


def _period(wanted: WantedReport, made_at: datetime) -> Period:
    asked = wanted.date_range or USUAL[wanted.report_type]
    if not isinstance(asked, Days):
        return of_word(asked, made_at.date(), wanted.time_zone)
    first, last = _day(asked.first, "from"), _day(asked.last, "to")
    if last < first:
        raise PermanentError(f"payload.date_range: it ends on {last}, before it begins; swap from and to")
    if (last - first).days >= MOST_DAYS:
        raise PermanentError(f"payload.date_range: {first} to {last} are more than ten years; ask for less")
    return Period(first, last, wanted.time_zone)


def _day(said: str, end: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise PermanentError(f"payload.date_range.{end}: there is no day {said}") from None


async def _said(wanted: WantedReport, period: Period, made_at: datetime) -> Report:
    if wanted.report_type == "activity":
        async with _database() as database:
            tally = await activity.tallied(database, period, lambda share: progress(READ * share, "reading"))
        return activity.report(tally, period, made_at)
    table = await _dataset(wanted.dataset)
    progress(READ / 2, "reading")
    named = {str(ours): theirs for ours, theirs in wanted.columns.items()}
    looked_at, said = KINDS[wanted.report_type]
    known = orders.read(table, named, *looked_at(period))
    return said(known, period, made_at, wanted.dataset, wanted.currency)


async def _dataset(source: str) -> Table:
    """Its columns as they are written: which of them matter, and what they hold, is for who reads orders."""
    field = "payload.dataset"
    path = await found(source, field=field)
    unpacker = Unpacker(context().scratch(), configured(Datasets).dataset_max_bytes)
    return opened(path, unpacker, How(wanted=()), field)


@contextlib.asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    """A connection of its own: the ones of the worker are in another process."""
    database = Database.of(configured(Stores), "report", connections=1)
    try:
        yield database
    finally:
        await database.stop()


def _written(report: Report, wanted: WantedReport, template: str | None, folder: str) -> Written:
    if template is None:
        return Written(sheet.written(report.detail))
    report = replace(report, charts=[drawn(bars) for bars in report.charts])
    progress(DRAWN, "drawn")
    html = page(report, template, folder, paper=wanted.paper)
    if wanted.format == "html":
        return Written(html.encode())
    made = pdf(html)
    return Written(made.content, made.pages)
