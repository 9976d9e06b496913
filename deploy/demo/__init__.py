"""`warren demo`: a shop that never was, and everything that can happen to its jobs, for dashboards and soak.

    python -m actors ◄── shop_jobs.py       what the shop's jobs do: most end well, some fail, wait, come back
    deeds.py                                what somebody does at one of the doors, and how often
    office.py                               what its office does with the types that come with Warren
    suppliers.py                            a small site whose pages the shop reads
    timetable.py                            what the clock does beside that
    drive.py                                how many of it a second, for how long
    watch.py, shown.py                      what the gateway says became of it, as bars or as lines
    crew.py                                 a worker of its own, where none serves the shop's types

The demo is a user of Warren: it stands on what `warren` gives to everybody, and knows the stores only by their
addresses.  It changes nothing that it did not make: its own types begin with `demo.`, its queues with `demo-`.
"""
