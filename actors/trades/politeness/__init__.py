"""Politeness: how jobs behave at the hosts they visit, all processes together.

**Promise.**  Nothing is asked of a host that its robots.txt forbids, and with a concurrency of 1 no request begins
before the host's delay after its last answer, whatever the number of workers.  A job that waits for its turn sleeps and
is called (persistence/hosts/): it holds no slot and burns no attempt.

**The way of a visit.**  `visit` is what a job calls; `stop` is one request at one host: what its robots.txt says
(`robots`, `rules`), its turn, and how the answer went, told to the host's row.  Each redirect is a stop of its own: at
the same host it waits out the delay, at another it takes that host's turn and obeys its robots.txt.

**Failure modes.**  Forbidden by robots.txt: fails for good.  Robots.txt out of reach, 429, 503: tried again later, and
the host is asked less often by everybody.  A worker that dies frees its turn by its deadline at the latest.
"""
