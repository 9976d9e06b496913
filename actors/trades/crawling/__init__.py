"""Following links: one job, one frontier, as many attempts as it takes.

**Promise.**  A crawl loses no address and reads none twice, whatever becomes of its workers: what is known lies in
Postgres (persistence/frontiers/), and a document is told there together with what it links to.

**The way of a crawl.**  `walk` takes the next address, lets `step` visit and read it, tells the frontier, and sleeps
between two documents where its host wants a pause.  `scope` says which links lead on.

**Failure modes.**  A document that cannot be had now is tried again behind all others, three times in all; one that
cannot be had at all is told as failed and the crawl goes on.  A crawl that could read nothing fails.
"""
