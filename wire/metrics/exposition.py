"""The text that Prometheus reads, version 0.0.4 of its format."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from wire.metrics.kinds import Histogram, Labels, Metric
from wire.metrics.snapshot import Figures, Snapshot
from wire.metrics.table import TABLE

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def text(snapshot: Snapshot) -> str:
    """Every family of the snapshot, in the order of the table; one that has no value yet is announced."""
    families = (_family(metric, snapshot[metric.name]) for metric in TABLE if metric.name in snapshot)
    return "".join(line + "\n" for family in families for line in family)


def _family(metric: Metric, values: dict[Labels, Figures]) -> Iterator[str]:
    yield f"# HELP {metric.name} {_escaped(metric.help)}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for labels, figures in sorted(values.items()):
        told = [f'{name}="{_quoted(value)}"' for name, value in zip(metric.labels, labels, strict=True)]
        if isinstance(metric, Histogram):
            yield from _histogram(metric, told, figures)
        else:
            yield f"{metric.name}{_braces(told)} {_number(figures[0])}"


def _histogram(metric: Histogram, told: list[str], figures: Figures) -> Iterator[str]:
    so_far = list(accumulate(figures[1:]))
    for bound, count in zip((*metric.bounds, math.inf), so_far, strict=True):
        below = f'le="{_number(bound)}"'
        yield f"{metric.name}_bucket{_braces([*told, below])} {_number(count)}"
    yield f"{metric.name}_sum{_braces(told)} {_number(figures[0])}"
    yield f"{metric.name}_count{_braces(told)} {_number(so_far[-1])}"


def _braces(told: list[str]) -> str:
    return f"{{{','.join(told)}}}" if told else ""


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', '\\"')
