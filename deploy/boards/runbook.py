"""deploy/RUNBOOK.md as a dashboard, one panel a symptom: so that an alert's link leads there.

`{{ $externalLabels.grafana }}` is where people reach Grafana; deploy/prometheus/prometheus.yml says it once.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

UID: Final = "warren-runbook"
FILE: Final = Path(__file__).parents[1] / "RUNBOOK.md"


def symptoms() -> dict[str, str]:
    """Each heading with what is below it."""
    parts = re.split(r"^## (.+)\n", FILE.read_text(), flags=re.MULTILINE)[1:]
    return {heading: text.strip() for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def links() -> dict[str, str]:
    """Where the page about each symptom is."""
    grafana = "{{ $externalLabels.grafana }}"
    return {
        heading: f"{grafana}/d/{UID}?viewPanel={number}" for number, heading in enumerate(symptoms(), start=1)
    }  # the number of its panel
