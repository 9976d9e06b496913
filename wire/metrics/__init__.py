"""What every process counts, and how it is read.

`table` has every metric there is: its name, its kind, its labels, who exposes it; docs/metrics.md is written from it.
`kinds` are counters, gauges and histograms that live in a process's memory, `snapshot` is their values at a moment and
the sum of several, `exposition` is the text that Prometheus reads, `listener` serves it, `upkeep` fills in what has to
be looked at, and `family` carries the figures of a supervisor's children to the one port of their group.

The metrics are global, as loggers are: a parameter through every constructor would say nothing more, and a count is no
dependency.  To count does no I/O, takes no lock and raises nothing; whoever counts does so on his process's one loop.
"""
