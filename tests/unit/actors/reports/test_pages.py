"""A page is the report and nothing else: whatever a template, a user's or ours, tries to load or to run."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pypdf
import pytest

from actors.ends import PermanentError
from actors.trades.reports import mailing, pdf
from actors.trades.reports.charts import drawn
from actors.trades.reports.looks import known
from actors.trades.reports.page import page, soft
from actors.trades.reports.period import Period
from actors.trades.reports.report import Bars, Column, Figure, Report, Table

REPORT = Report(
    kicker="Sales report",
    title="Sales & <script>",
    about="Of a shop.",
    period=Period(date(2026, 3, 1), date(2026, 3, 31)),
    made_at=datetime(2026, 4, 1, 9, 5, tzinfo=UTC),
    figures=[Figure("Revenue", 1234.5, "money", "+1.0 % on February 2026")],
    charts=[],
    tables=[
        Table("By product", [Column("Product"), Column("Revenue", "money")], [["<b>Spade</b>", 1234.5]], ["All", 1])
    ],
    detail=Table("Orders", [Column("product")], [["Spade"]]),
    highlights=["<i>All</i> is well."],
)
LONG = replace(
    REPORT,
    tables=[
        Table("Many", [Column("Name"), Column("Jobs", "count")], [[f"{n}" + "x" * 90, n] for n in range(70)], most=70)
    ],
)


def of(folder: Path, content: str) -> str:
    (folder / "own.html").write_text(content)
    return page(REPORT, "own", str(folder))


@pytest.mark.parametrize("template", known(""))
def test_every_template_of_ours_shows_every_report(template: str) -> None:
    for report in (REPORT, replace(REPORT, figures=[], tables=[], highlights=[])):
        html = page(report, template, "")

        assert "Sales &amp; &lt;script&gt;" in html
        assert "<script>" not in html
        assert "<b>Spade" not in html


def test_a_user_s_template_extends_ours(tmp_path: Path) -> None:
    html = of(tmp_path, '{% extends "standard.html" %}{% block kicker %}Acme{% endblock %}')

    assert "Acme" in html
    assert "1,234.50" in html
    assert ["monthly_summary", "own", "standard"] == known(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{{ repot.title }}", "line 1 of own.html: 'repot' is undefined"),
        ("\n{% for %}", "line 2 of own.html"),
        ("{% include '/etc/passwd' %}", "/etc/passwd"),
        ("{% include '../secret.html' %}", "../secret.html"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
        ("{{ report.title.__init__.__globals__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ range(10000000)|list }}", "Range too big"),
    ],
)
def test_what_a_template_does_wrong_is_told_with_its_line(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path.parent / "secret.html").write_text("secret")

    with pytest.raises(PermanentError) as error:
        of(tmp_path, content)

    assert "template own" in str(error.value)
    assert says in str(error.value)


def test_a_page_of_paper_loads_nothing(tmp_path: Path) -> None:
    """
    Whoever can write a template, or a name that gets into one, must not read this machine's files by it.
    """
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    html = f"""<link rel="stylesheet" href="file://{secret}"><link rel="attachment" href="file://{secret}">
        <style>@import url(file://{secret}); @font-face {{ font-family: x; src: url(file://{secret}) }}</style>
        <img src="file://{secret}"><img src="http://127.0.0.1:9/x.png"><p style="font-family: x">all is well</p>"""

    made = pdf.pdf(html)
    read = pypdf.PdfReader(io.BytesIO(made.content))

    assert "all is well" in read.pages[0].extract_text()
    assert b"the secret" not in made.content
    assert {} == dict(read.attachments)


def test_a_long_table_repeats_its_head_and_cuts_no_row() -> None:
    read = pypdf.PdfReader(io.BytesIO(pdf.pdf(page(LONG, "standard", "")).content))
    texts = [one.extract_text() for one in read.pages]

    assert len(texts) > 1
    assert all("Name" in text and "Jobs" in text for text in texts[1:-1])
    assert [f"Page {number} of {len(texts)}" in text for number, text in enumerate(texts, 1)] == [True] * len(texts)


def test_a_machine_without_the_libraries_is_told_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr(pdf, "_loaded", missing)

    with pytest.raises(PermanentError) as error:
        pdf.pdf("<p>hello")

    assert "apt-get install libpango-1.0-0 libpangoft2-1.0-0" in str(error.value)
    assert "libpango-1.0-0'" in str(error.value)


def test_a_chart_shows_what_strangers_named(tmp_path: Path) -> None:
    names = ["<b>&", "$x^2$", "a" * 200, "日本"]
    svg = drawn(Bars("By name", names, [("Jobs", "first", [1, 2, 3, 4])], lying=True)).svg

    assert "&lt;b&gt;&amp;" in svg
    assert "$x^2$" in svg  # and no formula
    assert "a" * 40 not in svg


def test_a_long_name_breaks_at_its_signs_and_is_still_escaped() -> None:
    assert "tenant_<wbr>014.<wbr>nightly.<wbr>run" == soft("tenant_014.nightly.run")
    assert "a_b" == soft("a_b")
    assert "&lt;b&gt;_<wbr>" + "x" * 20 == soft("<b>_" + "x" * 20)


def test_a_mail_says_the_figures_and_runs_nothing() -> None:
    assert "Revenue: 1,234.50 (+1.0 % on February 2026)" in mailing.text(REPORT)
    assert "Sales &amp; &lt;script&gt;" in mailing.html(REPORT)
    assert "<i>" not in mailing.html(REPORT)
