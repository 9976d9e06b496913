"""`report_generation`: a report as PDF, HTML or CSV, kept as an artifact of the job.

The rows are read first, then the page is written, and from it the PDF; all of it in a child process, for what draws
and what lays out pages are large.
"""

from __future__ import annotations

from actors.job import job
from actors.trades.reports.wanted import MadeReport, WantedReport


@job("report_generation", timeout=1800, isolation="process", memory_mb=1024)
async def report_generation(payload: WantedReport) -> MadeReport:
    """Make a report of what jobs did, as PDF, HTML or CSV."""
    from actors.trades.reports.making import make  # noqa: PLC0415 - a worker that makes none does not load it

    return await make(payload)
