"""The tables of docs/metrics.md, written from the table of the metrics, so that they cannot be wrong for long.

Printed by `warren metrics`; a test compares the page's end with what is printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wire.metrics.kinds import Histogram, Metric
from wire.metrics.table import TABLE

MARK: Final = "<!-- From here on printed by `warren metrics`; change wire/metrics/table.py. -->\n"
TABLE_HEAD: Final = "| name | kind | labels | what it says |\n|---|---|---|---|\n"
TITLES: Final = {
    ("gateway", "recorder", "scheduler", "worker"): "Every process",
    ("gateway",): "The gateway",
    ("worker",): "The workers",
    ("scheduler",): "The scheduler",
    ("scheduler", "worker"): "The workers and the scheduler",
}  # fmt: skip


def metrics_page() -> str:
    """The end of docs/metrics.md."""
    return MARK + "".join(_section(title, roles) for roles, title in TITLES.items())


def _section(title: str, roles: tuple[str, ...]) -> str:
    rows = "".join(_row(metric) for metric in TABLE if metric.roles == roles)
    return f"\n## {title}\n\n{TABLE_HEAD}{rows}"


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
    return f"| `{metric.name}` | {metric.kind} | {labels} | {' '.join(_words(metric))} |\n"


def _words(metric: Metric) -> Iterator[str]:
    yield metric.help.replace("|", "\\|") + "."
    if isinstance(metric, Histogram):
        yield f"Bounds: {', '.join(f'{bound:g}' for bound in metric.bounds)}."
