"""What somebody wants reported, and what was made of it: the payload and the result of `report_generation`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from actors.trades.mailing.fields import Address
from actors.trades.reports.looks import TemplateName
from actors.trades.reports.period import Word
from actors.trades.tables.named import Dataset

EXAMPLES: Final[list[JsonValue]] = [
    {"report_type": "financial", "date_range": "last_month", "format": "pdf", "template": "monthly_summary"},
    {"report_type": "sales", "format": "pdf", "recipients": ["manager@company.com"]},
    {"report_type": "activity", "date_range": "last_7_days", "format": "html", "time_zone": "Europe/Berlin"},
    {"report_type": "sales", "date_range": {"from": "2026-01-01", "to": "2026-03-31"}, "format": "csv"},
]
DAY: Final = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"


Day = Annotated[
    str, Field(pattern=DAY, json_schema_extra={"x-problem": "is not a day", "x-remedy": "write it as 2026-03-31"})
]

ZoneName = Annotated[
    str,
    Field(
        max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
        json_schema_extra={"x-problem": "is not a time zone", "x-remedy": "use an IANA name, such as Europe/Berlin"},
    ),
]  # fmt: skip


class Days(BaseModel):
    """From one day to another, both with it."""

    model_config = ConfigDict(extra="forbid")

    first: Day = Field(alias="from", description="The first day")
    last: Day = Field(alias="to", description="The last day, with it")


class WantedReport(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": EXAMPLES})

    report_type: Literal["activity", "financial", "sales"] = Field(
        description="activity: what jobs did; sales and financial: of the orders of a dataset"
    )
    date_range: Word | Days | None = Field(
        None, description="Which days: a word, or `from` and `to`; as of the due time of the schedule that made the "
        "job, else of now. Without one the last 7 days of activity, and the last month of orders"
    )  # fmt: skip
    format: Literal["pdf", "html", "csv"] = Field("pdf", description="pdf, html or csv")
    template: TemplateName | None = Field(None, description="How it looks; without one `standard`. A CSV has no look")
    time_zone: ZoneName = Field("UTC", description="Where a day begins and ends; an IANA name")
    paper: Literal["A4", "letter"] = Field("A4", description="Of a PDF")
    recipients: list[Address] = Field(default_factory=list, max_length=50, description="To whom it is mailed")
    dataset: Dataset = Field("sales_data", description="Of sales and financial: the dataset with the orders")
    columns: dict[Literal["day", "amount", "cost", "quantity", "product", "region", "customer"], str] = Field(
        default_factory=dict, description="Which of its columns is what, where their names do not say it"
    )
    currency: str = Field("", max_length=8, description="Of its amounts; said beside them")


class MadeReport(BaseModel):
    """What was made, and where it is."""

    report_type: str = Field(description="What it is about")
    title: str = Field(description="What stands over it")
    format: str = Field(description="pdf, html or csv")
    template: str | None = Field(description="How it looks; null of a CSV, which has no look")
    first_day: date = Field(description="The first day that it is of")
    last_day: date = Field(description="The last day that it is of")
    time_zone: str = Field(description="Where its days begin and end")
    rows: int = Field(description="Rows of its detailed table, which is what a CSV has")
    pages: int | None = Field(description="Pages of a PDF, null of another format")
    artifact: str = Field(description="The id of the artifact that it is")
    name: str = Field(description="The artifact's name")
    content_type: str = Field(description="The artifact's type")
    size_bytes: int = Field(description="The artifact's size")
    sha256: str = Field(description="The artifact's checksum")
    notes: list[str] = Field(description="What its readers are told about its figures")
    mail_job: str | None = Field(description="The id of the job that mails it; null without recipients")
