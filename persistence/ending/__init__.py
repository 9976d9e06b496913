"""ending: a job is ended by people, or forgotten by time."""
