"""PromQL from metrics: a name that does not exist, or a label that it does not have, is found when this is run.

`RANGE` is Grafana's own: four scrapes, or what the screen can show.  Alert rules say how long they look back.
"""

from __future__ import annotations

from typing import Final

from wire.metrics.kinds import Counter, Gauge, Histogram, Metric

RANGE: Final = "$__rate_interval"
OF_SCRAPES: Final = frozenset({"instance", "job", "role"})  # what Prometheus itself says of a series


def total(metric: Gauge, *by: str, **only: str) -> str:
    """What stands now, added up."""
    return f"sum{_by(metric, by)} ({_series(metric, metric.name, only)})"


def most(metric: Gauge, *by: str, **only: str) -> str:
    """What stands now, the greatest of it."""
    return f"max{_by(metric, by)} ({_series(metric, metric.name, only)})"


def rate(metric: Counter, *by: str, over: str = RANGE, **only: str) -> str:
    """How many a second."""
    return f"sum{_by(metric, by)} (rate({_series(metric, metric.name, only)}[{over}]))"


def typical(metric: Counter, *by: str, over: str = RANGE, **only: str) -> str:
    """How many a second, the mean of all who tell the same."""
    return f"avg{_by(metric, by)} (rate({_series(metric, metric.name, only)}[{over}]))"


def increase(metric: Counter, *by: str, over: str = RANGE, **only: str) -> str:
    """How many in this time."""
    return f"sum{_by(metric, by)} (increase({_series(metric, metric.name, only)}[{over}]))"


def appeared(metric: Counter, *by: str, over: str, **only: str) -> str:
    """Those that were not there at all so long ago: of them `increase` does not see the first count."""
    series, by_these = _series(metric, metric.name, only), _by(metric, by)
    return f"(sum{by_these} ({series}) unless sum{by_these} ({series} offset {over}))"


def quantile(share: float, metric: Histogram, *by: str, over: str = RANGE, **only: str) -> str:
    """What this share of the values did not exceed."""
    buckets = _series(metric, f"{metric.name}_bucket", only)
    return f"histogram_quantile({share:g}, sum{_by(metric, ('le', *by))} (rate({buckets}[{over}])))"


def mean(metric: Histogram, *by: str, over: str = RANGE, **only: str) -> str:
    """What the values were on average."""
    parts = (_series(metric, f"{metric.name}_{part}", only) for part in ("sum", "count"))
    return " / ".join(f"sum{_by(metric, by)} (rate({part}[{over}]))" for part in parts)


def per_second(metric: Histogram, *by: str, over: str = RANGE, **only: str) -> str:
    """How often it was observed."""
    return f"sum{_by(metric, by)} (rate({_series(metric, f'{metric.name}_count', only)}[{over}]))"


def or_zero(expression: str) -> str:
    """For what one hopes never to see: a line at zero instead of an empty panel."""
    return f"{expression} or vector(0)"


def _series(metric: Metric, name: str, only: dict[str, str]) -> str:
    _check(metric, tuple(only))
    matches = ",".join(f'{label}{_match(value)}"' for label, value in only.items())
    return f"{name}{{{matches}}}" if matches else name


def _match(value: str) -> str:
    """`!` before a value means any but that; a bar or a full stop makes it a pattern."""
    text = value.removeprefix("!")
    pattern = "|" in text or "." in text
    if value.startswith("!"):
        return f'!~"{text}' if pattern else f'!="{text}'
    return f'=~"{text}' if pattern else f'="{text}'


def _by(metric: Metric, labels: tuple[str, ...]) -> str:
    _check(metric, labels)
    return f" by ({', '.join(labels)})" if labels else ""


def _check(metric: Metric, labels: tuple[str, ...]) -> None:
    known = {*metric.labels, *OF_SCRAPES, *(("le",) if isinstance(metric, Histogram) else ())}
    if strange := set(labels) - known:
        raise ValueError(f"{metric.name} has no label {', '.join(sorted(strange))}; it has {', '.join(sorted(known))}")
