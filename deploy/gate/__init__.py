"""gate: what `deploy/test` does, at home and in CI alike.

**Promise.**  Every step runs even when one before it failed; the exit code is that of the worst, and the last lines
speak for all.

`steps` are format, lint, types, import contracts and the tests, in the order of their patience; `memory` is where tests
write what they throw away, `tally` adds their runs up.  Starts no server: tests start their own, and what they need for
that is installed here.
"""
