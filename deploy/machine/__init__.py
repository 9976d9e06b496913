"""machine: what this computer lends to servers and processes, and how each of them is known again.

**Promise.**  A port that was drawn is drawn by nobody else while this process lives; a process number that the kernel
has reused is never signalled; what may not run as root does not.

`ports` draws free ones on the loopback interface and says who holds one that is not free; `processes` knows a process
by its number and the time it started, and keeps it on record; `unprivileged` puts a command under another account.
Knows no server, and installs nothing.
"""
