"""questions: what people ask, answered without counting rows.

**Promise.**  A read costs as much with a million jobs as with a thousand: pages are keyset-paged, sums come from
deltas, and the way through the indexes is chosen from what the counts say.

`reads` has one job, a page of them, its attempts; `pages` and `walks` are how such a page is found.  `why` and
`timeline` explain one job.  `counts`, `census` and `ledger` say how many, `activity` what came in a stretch of time,
`artifacts` what was left behind.  Nothing here writes.
"""
