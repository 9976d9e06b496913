"""The one exception of this folder: a document that cannot be read, and why, in a sentence for whoever asked."""

from __future__ import annotations

from actors.ends import PermanentError


class Unreadable(PermanentError):
    """The same bytes would be as unreadable the next time."""
