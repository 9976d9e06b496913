"""Which job types there are, with what was declared of them, and the ways on which their messages come here.

`job_options` is what `@job` says of one, `roster` those that this process serves, with the settings' defaults filled
in, `ways` registers them and binds them to the queue that Postgres names.  Runs none of them.
"""
