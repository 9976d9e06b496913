"""times: what a schedule says about *when*, and the instants that follow from it.

**Promise.**  The gateway's preview and the scheduler's clock ask the same pure functions, so what is shown is what
fires: same words, same instants, in every process and on every machine.

**Doors.**  `spec` (a person's fields become a `When`, or are refused by name), `fires` (the due times of a `When`),
`words` (a `When` as a sentence), `edition` (of the zones that all this is computed with).

**Within.**  `cron` reads an expression into sets, `triggers` has APScheduler find the wall times that it names,
`zones` knows when a place's clocks change, `timetable` turns wall times into instants, `exclusions` takes some away.

**What does not belong here.**  Rows, jobs, what happens to a run: see persistence/schedules and scheduler/clock.
"""
