"""pages: what `warren` prints of itself: `warren settings`, `warren metrics`, `warren topology`.

**Promise.**  A page is written from what the processes themselves read and declare, so it cannot be wrong for long:
where it lies in the repository, a test compares.

`settings` is docs/settings.md and .env.example, `metrics` the tables of docs/metrics.md, `topology` what stands on the
broker.  They import `wire` and what it needs, so nothing may import them that runs before the virtual environment.
"""
