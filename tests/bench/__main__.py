"""`python -m tests.bench`: Warren and its peers on the same work in one run; a table, a plot and every figure."""

from __future__ import annotations

import sys

from tests.bench import report
from tests.bench.options import NAMES, parse
from tests.bench.run import run


def main() -> None:
    options = parse()
    found = report.kept(options.kept) if options.kept else run(options)
    report.tell(found)
    if options.json:
        report.keep(found, options.json)
    if options.plot and found.standings:
        report.draw(found, options.plot)
    if options.write_docs:
        report.write_docs(found, NAMES)
    sys.exit(1 if found.failed else 0)


if __name__ == "__main__":
    main()
