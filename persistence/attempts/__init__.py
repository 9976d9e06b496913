"""attempts: which delivery may run, how far it is, and what became of it."""
