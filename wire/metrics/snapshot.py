"""The values of a process at a moment, and the sum of several processes.

What a child that has ended had counted stays in the sum; what stood in it is gone with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from wire.metrics.kinds import Counter, Gauge, Histogram, Labels, Metric, Role
from wire.metrics.table import TABLE

Figures = list[float]  # one number, or a histogram's
Snapshot = dict[str, dict[Labels, Figures]]
_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[tuple[str, list[tuple[Labels, Figures]]]])
_by_name: Mapping[str, Metric] = {metric.name: metric for metric in TABLE}


def taken(metrics: Iterable[Metric] = TABLE) -> Snapshot:
    """What this process has counted; nothing of it changes any more."""
    return {metric.name: _values(metric) for metric in metrics}


def of_role(role: Role) -> Snapshot:
    """What a process of this role tells."""
    return taken(metric for metric in TABLE if role in metric.roles)


def summed(snapshots: Sequence[Snapshot]) -> Snapshot:
    """All of them together."""
    total: Snapshot = {}
    for snapshot in snapshots:
        for name, values in snapshot.items():
            _add(total.setdefault(name, {}), values, largest=_by_name[name].merge == "max")
    return total


def without_gauges(snapshot: Snapshot) -> Snapshot:
    """What is left of a process that has ended."""
    return {name: values for name, values in snapshot.items() if not isinstance(_by_name[name], Gauge)}


def encode(snapshot: Snapshot) -> bytes:
    return _encoder.encode([(name, list(values.items())) for name, values in snapshot.items() if values])


def decode(frame: bytes) -> Snapshot:
    """Names that this version does not have are left out."""
    return {name: dict(values) for name, values in _decoder.decode(frame) if name in _by_name}


def _values(metric: Metric) -> dict[Labels, Figures]:
    if isinstance(metric, Histogram):
        return {labels: list(figures) for labels, figures in metric.values.items()}
    assert isinstance(metric, Counter | Gauge)
    return {labels: [value] for labels, value in metric.values.items()}


def _add(total: dict[Labels, Figures], values: Mapping[Labels, Figures], *, largest: bool) -> None:
    for labels, figures in values.items():
        there = total.get(labels)
        if there is None:
            total[labels] = figures
        elif largest:
            total[labels] = [max(there[0], figures[0])]
        else:
            total[labels] = [a + b for a, b in zip(there, figures, strict=True)]
