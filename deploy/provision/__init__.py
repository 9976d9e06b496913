"""provision: what a bare machine lacks is brought here: programs, libraries, the virtual environment.

**Promise.**  What is there is taken as it is; what is missing comes by apt, from a wheel or from the lock, or the error
is the command to type.  Nobody is asked for a password for what Warren works without.

An errand (`errands`) is a child that ends by itself, and whose last lines are told if it fails.  `install` brings
RabbitMQ and Postgres, `libraries` what reports are made PDFs with, `venv` the Python packages.  Starts no server, and
lets no package start one.
"""
