"""Grafana's dashboards and Prometheus' alert rules, written by a program from the table of the metrics.

A panel is given a metric of `wire.metrics.table`, never its name, and a label that the metric does not have is refused:
so no panel can ask for what nobody tells.  `python -m deploy.boards` writes what lies in deploy/grafana/dashboards and
deploy/prometheus/alerts.yml; a test compares, and tests/journey/test_boards.py, in its long form, asks a real
Prometheus all of it while `warren demo` runs.

    promql.py       an expression from a metric         overview.py … stores.py    one dashboard each
    panel.py        a panel, a dashboard, as data       alerts.py                  when to wake somebody
    grafana.py      … as Grafana's JSON                 runbook.py                 deploy/RUNBOOK.md as a dashboard
    rabbitmq.py     what RabbitMQ's plugin tells        __main__.py                writes all files
"""
