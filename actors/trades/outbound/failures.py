"""What can become of a request that got no answer; a status is an answer, whatever it is.

None of these tells what an internal address answered, or which address a name has: to whoever chose the URL that
would be a map of the network.  A URL is told as its scheme, host and port, for its path and query may hold secrets.
"""

from __future__ import annotations

from actors.ends import PermanentError


class Forbidden(PermanentError):
    """Not a target that a job may reach; says which setting would allow it."""


class TooLarge(PermanentError):
    """More bytes than a job may take: on the wire, unpacked, or as headers."""


class Unreachable(Exception):
    """No answer, or none that can be read: no such name, refused, reset, no TLS, broken; worth another try."""


class TooSlow(Exception):
    """The answer was not there in time, as a whole; worth another try."""
