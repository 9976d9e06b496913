"""Reports: from rows to a page that one would send on.

What a report says is worked out first, as plain figures, charts and tables (report.py); how it looks is a template
(page.py), from which the PDF is made too, so that both say the same.  A report knows nothing of templates, and a
template can ask for nothing that is not in the report: no file, no address, no database.

The libraries that draw take a second and a hundred megabytes to load.  They are loaded by whoever draws, in the child
process that runs the job, and never by a worker.
"""
