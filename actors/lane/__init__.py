"""The one asyncio loop on which a process takes jobs, does them and settles them; how much it holds, what goes first.

`lane` joins what the other files decide each alone; attempts/ is what it does with a job that was granted.

Which: `waiting` holds them by the kind of place they need, `importance` lets the more important in and the neglected
through, `trial` has suspects run one after the other, `admit` claims a batch (`told_claims` tells OpenTelemetry of it).
How many: `slots` are the free places, `pace` how many more will be free in a moment, `prefetch` and `window` how much
is held; `acks` go out together.  `rest` lets a lane that has nothing to do sleep, `marks` and `figures` tell others
where it stands.

`door` is where its jobs reach out: they submit others, and have `belongings`, which are saved and read (`reading`).
"""
