"""Who gets a mail: `ada@example.org` or `Ada <ada@example.org>`, judged before it comes near a header or a server.

Narrower than the standard, which has comments, quotes, groups and routes: what nobody writes but to smuggle something
is refused.  A domain in other letters than Latin ones is spelt as the DNS spells it; a name before the @ stays what it
is, and needs a server that takes it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import idna

MOST_CHARACTERS: Final = 400
MOST_BYTES: Final = 254  # of an address, 64 of them before the @: RFC 5321
# Ends of lines as somebody counts them, signs that are not seen, and those that turn the direction of writing round
UNSEEN: Final = {"Cc", "Cs", "Cn", "Zl", "Zp"}
TURNING: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_WHOLE: Final = re.compile(r"(?:(?P<name>[^<>]*)<(?P<inner>[^<>]*)>|(?P<plain>[^<>]*))\s*")
_LOCAL: Final = re.compile(r"[^\s.()<>\[\]:;@\\,\"]+(\.[^\s.()<>\[\]:;@\\,\"]+)*")
_LABELS: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A person's name, if it was said, and the address."""

    name: str
    local: str
    domain: str

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def plain(self) -> bool:
        """Whether every server can take it."""
        return self.local.isascii()


def mailbox_of(said: str) -> Mailbox:
    """Read one, or ValueError with what is wrong; it quotes nothing of what may be long or unreadable."""
    check_line(said)
    if len(said) > MOST_CHARACTERS:
        raise ValueError(f"has {len(said)} characters, at most {MOST_CHARACTERS} are taken")
    found = _WHOLE.fullmatch(said)
    address = ((found["inner"] if found["plain"] is None else found["plain"]) if found else "").strip()
    local, at, domain = address.rpartition("@")
    if not at:
        raise ValueError("is not an address, as in ada@example.org or Ada <ada@example.org>")
    if not _LOCAL.fullmatch(local) or any(unicodedata.category(sign) == "Cf" for sign in address):
        raise ValueError("has signs that no mailbox has; several addresses go in a list")
    name = (found["name"] or "") if found else ""
    mailbox = Mailbox(name.strip().strip('"').strip(), local, _domain(domain))
    if len(local.encode()) > 64 or len(mailbox.address.encode()) > MOST_BYTES:
        raise ValueError("is too long: 64 bytes before the @ and 254 in all are what mail servers take")
    return mailbox


def check_line(said: str) -> None:
    """ValueError for what would not stay on its line, or would not be what is seen."""
    for sign in said:
        if unicodedata.category(sign) in UNSEEN or sign in TURNING:
            raise ValueError(f"has a sign that no header may have, U+{ord(sign):04X}")


def _domain(said: str) -> str:
    try:
        spelled = said.lower() if said.isascii() else idna.encode(said, uts46=True).decode().lower()
    except idna.IDNAError:
        spelled = ""
    if not _LABELS.fullmatch(spelled):
        raise ValueError("has no name of a mail domain behind the @")
    return spelled
