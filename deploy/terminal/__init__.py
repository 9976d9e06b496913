"""terminal: what a person types, sees and presses, for all of `deploy`'s commands.

**Promise.**  What was typed wrong is refused before anything is touched; with `--detach` the prompt is back when all is
up and no sooner; after one Ctrl-C what runs may finish.

`options` is the command line over the environment over `.env`; `detach` leaves a process running behind the terminal,
`interrupts` says what Ctrl-C means to one that stays before it, and `screen` draws the bars of the proof and the demo.
Of the servers it knows only which sources may be asked for.
"""
