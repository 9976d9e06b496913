"""entrance: what every request passes before anybody reads what it wants.

**Promise.**  What is refused is a problem+json that names the field and the remedy, and has touched nothing; no caller
holds a connection, the loop or the memory for longer than it is given.

`listen` takes connections and `crowd` bounds them; `door` gives a request its id and its line in the log, `access` says
who may come in, `spans` whose trace it is.  `body`, `query` and `cursor` read what was sent, strictly; `closed_ends`
answers 405, `problems` is how every refusal looks, `turn` shares the loop.  Knows no job.
"""
