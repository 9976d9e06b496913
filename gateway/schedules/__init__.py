"""Schedules at the door: what a client says of one, judged as a job of it would be, and how it stands, in words.

`fields` says what each field may hold, `request` makes one whole schedule of a body (or of a body and what stood
before), `orders` reads what is asked of schedules that are there; `judge` holds it against the job types, the clock and
the limits; `standing` says why one fires or does not.  When it fires is not decided here: wire/times computes it, here
for the preview and in the scheduler for the clock.  Its routes are rest/schedules.py and rest/schedule_actions.py.
"""
