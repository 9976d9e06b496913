"""Dashboards as Grafana reads them from files (schema 39: Grafana 10 and newer).

The data source is chosen by its uid, which the provisioning sets; nothing has to be chosen by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from deploy.boards import clock, failures, overview, queues, runbook, stores, web, workers
from deploy.boards.panel import Board, Panel

Json = dict[str, Any]
BOARDS: Final = (overview.BOARD, queues.BOARD, workers.BOARD, failures.BOARD, clock.BOARD, web.BOARD, stores.BOARD)
SOURCE: Final[Json] = {"type": "prometheus", "uid": "prometheus"}
WIDTH: Final = 24
SCHEMA: Final = 39


def files() -> dict[str, str]:
    """Every dashboard by the name of its file."""
    boards = {
        f"{board.uid}.json": _dashboard(board.uid, board.title, board.says, list(_placed(board))) for board in BOARDS
    }
    pages = _dashboard(runbook.UID, "Warren: runbook", "What to do, by symptom.", list(_pages()))
    return {
        name: json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        for name, found in (boards | {f"{runbook.UID}.json": pages}).items()
    }


def _dashboard(uid: str, title: str, says: str, panels: list[Json]) -> Json:
    return {
        "uid": uid,
        "title": title,
        "description": says,
        "tags": ["warren"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,  # the cross-hair is shared: one moment in all panels
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "browser",
        "templating": {"list": []},
        "annotations": {"list": []},
        "links": [
            {"type": "dashboards", "title": "Warren", "tags": ["warren"], "asDropdown": False, "includeVars": False,
             "keepTime": True, "targetBlank": False, "icon": "", "tooltip": "", "url": ""},
        ],
        "panels": panels,
    }  # fmt: skip


def _placed(board: Board) -> Iterator[Json]:
    """Rows from the top, panels from the left; a panel that finds no room begins a new line."""
    number, top = 1, 0
    for row in board.rows:
        yield _row(number, row.title, top)
        number, top, left, line = number + 1, top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                top, left, line = top + line, 0, 0
            yield _panel(number, panel, {"x": left, "y": top, "w": panel.width, "h": panel.height})
            number, left, line = number + 1, left + panel.width, max(line, panel.height)
        top += line


def _row(number: int, title: str, top: int) -> Json:
    place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(number: int, panel: Panel, place: dict[str, int]) -> Json:
    return {
        "id": number,
        "type": {"number": "stat", "bars": "bargauge"}.get(panel.shape, "timeseries"),
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "editorMode": "code",
                "expr": query.expression,
                "legendFormat": query.legend or panel.title,
                "instant": panel.shape in ("number", "bars"),
                "range": panel.shape not in ("number", "bars"),
            }
            for place, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _defaults(panel: Panel) -> Json:
    defaults: Json = {"unit": panel.unit, "min": 0}
    if panel.shape in ("curve", "stack"):
        stacked = panel.shape == "stack"
        defaults["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 30 if stacked else 5,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        }
    else:
        defaults["thresholds"] = {"mode": "absolute", "steps": _steps(panel)}
    return defaults


def _steps(panel: Panel) -> list[Json]:
    """Colours from the bottom up, as Grafana wants them."""
    if panel.good_is_high:
        levels = [("red", None), ("orange", panel.red), ("green", panel.amber)]
    else:
        levels = [("green", None), ("orange", panel.amber), ("red", panel.red)]
    return [
        {"color": color, "value": value}
        for place, (color, value) in enumerate(levels)
        if not place or value is not None
    ]


def _options(panel: Panel) -> Json:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.shape == "number":
        return {"reduceOptions": last, "colorMode": "value", "graphMode": "none", "textMode": "value"}
    if panel.shape == "bars":
        return {"reduceOptions": last, "orientation": "horizontal", "displayMode": "basic"}
    legend = {"displayMode": "table", "placement": "right", "showLegend": True, "calcs": ["lastNotNull", "max"]}
    return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


def _pages() -> Iterator[Json]:
    for number, (heading, text) in enumerate(runbook.symptoms().items(), start=1):
        place = {"x": 0, "y": 10 * (number - 1), "w": WIDTH, "h": 10}
        options = {"mode": "markdown", "content": text}
        yield {"id": number, "type": "text", "title": heading, "gridPos": place, "options": options}
