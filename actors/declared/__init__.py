"""Which job types there are, with what was declared of them, and the ways on which their messages come here."""
