"""What the shop's office does with the types that come with Warren: one errand after another, each type in its turn.

Nothing leaves the house: mail goes to a name that cannot exist, pages are those of the demo's suppliers, what is
cleared away is only told.  The light ones come first, so that a short demo has several.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from deploy.demo.suppliers import Suppliers

Errand = tuple[str, dict[str, Any]]
NOBODY: Final = "everybody@shop.invalid"
CACHE: Final = "/tmp/application_cache"  # noqa: S108 - looked at, with `dry_run`


class Office:
    """Its list of errands; those that nobody serves, or that this Warren does not take, are crossed off."""

    def __init__(self, served: frozenset[str], suppliers: Suppliers | None) -> None:
        self._list = [errand for errand in errands(suppliers) if errand[0] in served]
        self._done = 0

    def __bool__(self) -> bool:
        return bool(self._list)

    def next(self) -> Errand:
        self._done += 1
        return self._list[(self._done - 1) % len(self._list)]

    def cross_off(self, errand: Errand) -> None:
        """It will not be taken the next time either."""
        if len(self._list) > 1 and errand in self._list:
            self._list.remove(errand)


def errands(suppliers: Suppliers | None) -> Iterator[Errand]:
    """One of each type; what needs pages only where the suppliers' may be read."""
    yield "echo", {"message": "the office is open"}
    yield "math", {"operation": "multiply", "a": 42, "b": 1.19}
    yield "sleep", {"duration": 2}
    yield "random_failure", {"failure_rate": 0.3}
    if suppliers is not None:
        yield "http_request", {"url": suppliers.front}
        yield "scrape_website", {"url": suppliers.front, "selector": "h1"}
        yield "scrape_article", {"url": suppliers.front}
        yield "crawl_url", {"url": suppliers.front, "archive": False}
    yield "send_email", {"to": NOBODY, "subject": "Opening hours", "body": "As ever.", "failure_rate": 0.2}
    yield "email_notification", {"recipient": NOBODY, "subject": "Weekly report ready"}
    yield "cleanup_task", {"cleanup_type": "temp_files", "retention_days": 7, "path": CACHE, "dry_run": True}
    yield "data_processing", {"dataset": "sales_data", "operation": "aggregate",
                              "parameters": {"record_count": 5_000, "aggregation_type": "sum"}}  # fmt: skip
    yield "custom", {"operation": "data_migration", "parameters": {"source": "legacy_db", "destination": "new_db"}}
    yield "report_generation", {"report_type": "activity", "date_range": "last_7_days", "format": "html"}
    yield "process_video", {"video_url": "sample:clip", "output_format": "mp4", "duration": 3, "width": 160}
    yield "backup_task", {"backup_type": "database", "destination": "s3://backups/demo/", "encryption": True, "keep": 2}
