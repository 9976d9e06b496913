"""A report by mail: what somebody in a hurry wants to know in the mail itself, and the report as its attachment."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from actors.ends import PermanentError
from actors.trades.reports.report import Report
from actors.trades.reports.wording import shown
from wire.mailboxes import mailbox_of


def check(recipients: Sequence[str]) -> None:
    """Before the work is done: who cannot be written to is named by their place."""
    for place, recipient in enumerate(recipients):
        try:
            mailbox_of(recipient)
        except ValueError as e:
            raise PermanentError(f"payload.recipients.{place}: {e}") from None


def payload(report: Report, recipients: Sequence[str], artifact: str, name: str) -> dict[str, Any]:
    """The payload of the `send_email` that carries it.

    A job of its own: it is tried again without the report being made again, and knows whom it has reached already.
    """
    return {
        "to": list(recipients),
        "subject": f"{report.kicker}: {report.period.told}",
        "body": text(report),
        "html": html(report),
        "attachments": [{"artifact": artifact, "name": name}],
    }


def text(report: Report) -> str:
    """In plain words, a figure a line."""
    figures = [f"{figure.label}: {shown(figure.value, figure.kind)} ({figure.note})" for figure in report.figures]
    said = [f"{report.title}, {report.period.told}", "\n".join(figures)]
    said += ["\n".join(f"- {sentence}" for sentence in report.highlights)] if report.highlights else []
    said += ["\n".join(report.notes)] if report.notes else []
    return "\n\n".join([*said, "The report is attached."]) + "\n"


def html(report: Report) -> str:
    """The same for programs that show it; they know few properties, and only where they are used."""
    soft, cell = "color:#5b6571;font-size:13px", "padding:4px 18px 4px 0;vertical-align:top"
    rows = "".join(
        f'<tr><td style="{cell};{soft}">{escape(figure.label)}</td>'
        f'<td style="{cell};font-weight:bold">{escape(shown(figure.value, figure.kind))}</td>'
        f'<td style="{cell};{soft}">{escape(figure.note)}</td></tr>'
        for figure in report.figures
    )
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in report.highlights)
    return (
        f'<div style="font:15px/1.45 Arial,Helvetica,sans-serif;color:#1f2731">'
        f'<h1 style="font-size:22px;margin:0">{escape(report.title)}</h1>'
        f'<p style="margin:2px 0 14px;color:#5b6571">{escape(report.period.told)}</p>'
        f'<table style="border-collapse:collapse">{rows}</table>'
        f'<ul style="padding-left:18px">{sentences}</ul>'
        f'<p style="{soft}">{" ".join(escape(note) for note in report.notes)} The report is attached.</p></div>'
    )
