"""`report_generation` on a real Postgres: what was counted is what is on the page."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator

import pypdf
import pytest

from actors.catalogue import send_email  # noqa: F401 - declares the type, by whose schema its mail is judged
from actors.catalogue.report_generation import report_generation
from actors.configured import configured_as
from actors.ends import PermanentError
from actors.trades.reports.looks import checked
from persistence.store.database import Database
from tests.conftest import Places
from tests.room.persistence.rows import accepted, submission
from warren import run_inline
from wire.errors import Refused

AGED = """
UPDATE jobs SET state = CASE type WHEN 'fails.often' THEN 'failed' ELSE 'completed' END, attempt = 1,
       error_type = CASE type WHEN 'fails.often' THEN 'ValueError' END,
       error_message = CASE type WHEN 'fails.often' THEN 'no <b>bold</b> words' END,
       started_at = created_at + interval '1 second', finished_at = created_at + interval '3 seconds'
"""


@pytest.fixture(autouse=True, scope="module")
def _some_jobs(places: Places) -> Iterator[None]:
    """Nine that completed and one that failed, today; and whoever runs knows where they are."""

    async def come() -> None:
        database = Database(places.database_url, "test", connections=1, timeout_seconds=10)
        failing = submission(type="fails.often")
        await accepted(database, failing, *(submission(type="=cmd()") for _ in range(9)))
        await database.fetch(AGED)
        await database.stop()

    asyncio.run(come())
    with configured_as(places.stores):
        yield


def test_a_pdf_says_what_was_counted() -> None:
    ran = run_inline(report_generation, {"report_type": "activity", "format": "pdf"})
    pages = pypdf.PdfReader(io.BytesIO(ran.artifacts[ran.result["name"]])).pages
    text = " ".join(page.extract_text() for page in pages)

    assert ("completed", "application/pdf") == (ran.ended, ran.result["content_type"])
    assert len(pages) == ran.result["pages"]
    assert [] == [said for said in ("90.0 %", "2.0 s", "fails.often", "no <b>bold</b> words") if said not in text]
    assert f"Page 1 of {len(pages)}" in text


def test_a_page_escapes_what_strangers_said_and_loads_nothing() -> None:
    ran = run_inline(report_generation, {"report_type": "activity", "format": "html"})
    page = ran.artifacts[ran.result["name"]].decode()

    assert "no &lt;b&gt;bold&lt;/b&gt; words" in page
    assert "http" not in page.replace("http-equiv", "")
    assert None is ran.result["pages"]


def test_a_csv_has_all_rows_and_no_formulas() -> None:
    ran = run_inline(report_generation, {"report_type": "activity", "format": "csv", "template": None})
    rows = list(csv.DictReader(io.StringIO(ran.artifacts[ran.result["name"]].decode("utf-8-sig"))))

    assert {("'=cmd()", "9", "9", "0"), ("fails.often", "1", "0", "1")} == {
        (row["type"], row["jobs"], row["completed"], row["failed"]) for row in rows
    }
    assert (2, None) == (ran.result["rows"], ran.result["template"])


def test_a_period_without_jobs_is_a_page_that_says_so() -> None:
    range_ = {"from": "2020-02-01", "to": "2020-02-29"}
    ran = run_inline(report_generation, {"report_type": "activity", "format": "html", "date_range": range_})
    page = ran.artifacts["activity-2020-02-01-to-2020-02-29.html"].decode()

    assert "No job came in this period, February 2020." in page
    assert "<img" not in page


def test_a_report_is_mailed_by_a_job_that_is_born_with_it() -> None:
    """
    It is tried again without the report being made again, and knows whom it has reached.
    """
    people = ["Ada <ada@example.org>", "bob@example.org"]
    ran = run_inline(report_generation, {"report_type": "activity", "format": "csv", "recipients": people})
    (mail,) = ran.submitted
    file = {"artifact": ran.result["artifact"], "name": ran.result["name"]}

    assert ("send_email", ran.result["mail_job"]) == (mail.type, str(mail.id))
    assert (people, [file]) == (mail.payload["to"], mail.payload["attachments"])
    assert "Success: 90.0 % (9 completed)" in mail.payload["body"]


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"date_range": {"from": "2026-02-01", "to": "2026-01-01"}}, "payload.date_range"),
        ({"date_range": {"from": "1926-02-01", "to": "2026-01-01"}}, "payload.date_range"),
        ({"time_zone": "Europe/Berlim"}, "payload.time_zone: 'Europe/Berlim' is not a time zone; did you mean"),
        ({"recipients": ["ada@example.org", "a b@c"]}, "payload.recipients.1: "),
        (
            {"date_range": {"from": "2026-02-30", "to": "2026-03-01"}},
            "payload.date_range.from: there is no day 2026-02-30",
        ),
    ],
)
def test_what_cannot_be_made_is_told_by_its_field(said: dict[str, object], names: str) -> None:
    ran = run_inline(report_generation, {"report_type": "activity", **said})

    assert ("failed", "permanent") == (ran.ended, ran.reason)
    assert str(ran.error).startswith(names)


@pytest.mark.parametrize("name", ["../../etc/passwd", "_page", "a/b", "", "monthly"])
def test_a_template_that_is_none_is_refused_by_the_door_and_by_the_worker(name: str) -> None:
    with pytest.raises(Refused, match=r"payload\.template: .*known: monthly_summary, standard"):
        run_inline(report_generation, {"report_type": "activity", "template": name})
    with pytest.raises(PermanentError, match=r"payload\.template: .*there are monthly_summary, standard"):
        checked(name, "")
