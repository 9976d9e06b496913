"""A report as CSV: its one detailed table, with all digits, for a spreadsheet program.

UTF-8 with the mark at its beginning, without which such programs take it for something older; lines end as the format
says.  A text that would be a formula there begins with an apostrophe: a job's type or a product's name may come from
a stranger, and the file is opened by somebody who trusts who sent it.
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Final

from actors.trades.reports.report import Cell, Shown, Table

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def written(table: Table) -> bytes:
    """Names of the columns first."""
    page = io.StringIO(newline="")
    lines = csv.writer(page)
    lines.writerow([_plain(column.name) for column in table.columns])
    lines.writerows([_plain(cell) for cell in row] for row in table.rows)
    return page.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> str | int | float:
    if isinstance(cell, Shown):
        return _plain(cell.value)
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return f"'{cell}"
    return cell
