"""Tables: files of records, read, worked on and written by a columnar engine (Polars), a piece at a time.

**Promise.**  A file of any size is never wholly in memory; what is sorted, grouped or joined is, and has the memory of
a child process for it.  A value is never evaluated: conditions are a column, a word and a value, and what can be asked
is what is listed in asked.py.  Whatever is wrong with a file, a column or a value is one sentence with its name in it.

**The way of a table.**  `datasets` finds what a payload names, `plain` unpacks it and makes UTF-8 of it, `opened` reads
it as CSV, JSON or Parquet into a `table`, whose text columns `kinds` gives types to; `operations` and `joining` ask the
engine, with the `conditions` of the payload, and `written` has the answer in a file.  `faults` says which line was no
record.

Only work.py is called by the job type, and from inside of its function: a worker does not load the engine.
"""
