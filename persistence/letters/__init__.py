"""letters: what could not be done is kept, read and sent again.

**Promise.**  No time limit deletes a letter; the same message is one letter, however often and by whomever it is
refused; a letter is redriven once.

`dead_letters` keeps one, `letters` is what people ask about them, `redrive` makes a job of one, `redrive_runs` does so
for thousands at a rate, fenced so that a crash repeats nothing.  Whether an edited body is a job is judged at the
gateway.
"""
