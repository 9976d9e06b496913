"""`python -m deploy.boards` writes all dashboards and alert rules."""

from __future__ import annotations

from pathlib import Path

from deploy.boards import alerts, grafana, runbook

DEPLOY = Path(__file__).parents[1]


def files() -> dict[Path, str]:
    """What is written, and where."""
    boards = {DEPLOY / "grafana" / "dashboards" / name: text for name, text in grafana.files().items()}
    return boards | {DEPLOY / "prometheus" / "alerts.yml": alerts.rules(runbook.links())}


def main() -> None:
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path.relative_to(DEPLOY.parent))


if __name__ == "__main__":
    main()
