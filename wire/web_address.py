"""Web addresses in their one spelling, so that an article is fetched once however it is linked.

Two spellings that every server must take for the same address become one: the case of scheme and host, a default port,
`%7E` for `~`, dots in the path, an international name.  Beyond that only what no server looks at is dropped: the
fragment, and parameters that tell an advertiser where a reader came from.  The order of parameters stays, and so do
`http` and `https`, `www.` and a slash at the end: there the pages may differ, and the wrong article is worse than a
second fetch.

Refuses what is not http or https, and passwords: the address is kept, listed and logged.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from wire.errors import Refused
from wire.web_host import host

MOST_CHARACTERS: Final = 4096
_PORTS: Final = {"http": "80", "https": "443"}

_PARTS: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*):(?P<slashes>//)?(?P<authority>[^/\\?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?",
    re.IGNORECASE,
).match
_SPACE: Final = "".join(map(chr, range(33)))  # a browser drops it around an address, and line breaks within
_BROKEN: Final = str.maketrans("", "", "\t\r\n")
_NAME: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?").fullmatch

_TO_SPELL: Final = re.compile(r"%[0-9A-Fa-f]{2}|%|[^!$&'()*+,\-./0-9:;=@A-Z_a-z~?|\[\]]").sub
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

# Whose they are: Google, Facebook, Microsoft, Yandex, X, TikTok, LinkedIn, Instagram, Mailchimp, HubSpot, Marketo,
# Vero, Omeda, Matomo, OpenStat, the BBC.  Words that a site may mean itself (`ref`, `source`, `id`) are not of them.
_TRACKS: Final = re.compile(
    r"(?:utm_|mtm_|piwik_|matomo_|_hs|__hs|at_custom|oly_)\w*"
    r"|gclid|gclsrc|dclid|gbraid|wbraid|srsltid|_ga|_gl|fbclid|msclkid|yclid|ysclid|twclid|ttclid|li_fat_id|igshid|igsh"
    r"|pk_(?:campaign|kwd|keyword|source|medium|content|cid)|mc_cid|mc_eid|hsctatracking|mkt_tok|vero_id|vero_conv|wickedid|_openstat|rb_clickid|at_medium|at_campaign",
    re.IGNORECASE,
).fullmatch


def canonical(url: str) -> str:
    """The address in its one spelling; the spelling of that is the same again.  Refused if it is none."""
    match = _PARTS(url.strip(_SPACE).translate(_BROKEN))
    if match is None:
        raise Refused("url", f"{_shown(url)} is not a web address", "begin it with https:// or http://")
    scheme = match["scheme"].lower()
    if scheme not in _PORTS or not match["slashes"]:
        raise Refused("url", f"{_shown(url)} does not begin with http:// or https://", "only web pages are read")
    spelled = f"{scheme}://{_authority(match['authority'], scheme)}{_path(match['path'])}{_query(match['query'])}"
    if len(spelled) > MOST_CHARACTERS:
        raise Refused("url", f"has {len(spelled)} characters; at most {MOST_CHARACTERS} are taken", "use a shorter one")
    return spelled


def host_of(url: str) -> str:
    """The party that an address asks: scheme, name and port, as `https://example.org` or `http://example.org:8080`."""
    spelled = canonical(url)
    return spelled[: spelled.index("/", 8)]


def _authority(said: str, scheme: str) -> str:
    if "@" in said:
        raise Refused("url", "carries a user name or a password", "leave out what stands before the @")
    match = _NAME(said)
    if match is None or not match["host"]:
        raise Refused("url", f"has {said[:80]!r} where its host belongs", "name one, as in https://example.org/page")
    port = (match["port"] or "").lstrip("0") or ("0" if match["port"] else "")
    if port and (len(port) > 5 or not 0 < int(port) < 65536):
        raise Refused("url", f"has the port {port[:20]}, which is none", "ports are 1 to 65535")
    return host(match["host"]) + (f":{port}" if port and port != _PORTS[scheme] else "")


def _path(said: str) -> str:
    """Its steps taken: `.` stays where it is, `..` goes back one, and nothing goes behind the root."""
    spelled = _spelled(said.replace("\\", "/"))
    if "/." not in spelled:
        return spelled or "/"
    steps: list[str] = []
    for step in spelled[1:].split("/"):
        if step == "..":
            del steps[-1:]
        elif step != ".":
            steps.append(step)
    if spelled.endswith(("/.", "/..")):
        steps.append("")
    return "/" + "/".join(steps)


def _query(said: str | None) -> str:
    if not said:
        return ""
    kept = [part for part in _spelled(said).split("&") if part and not _TRACKS(part.partition("=")[0])]
    return "?" + "&".join(kept) if kept else ""


def _spelled(said: str) -> str:
    return _TO_SPELL(_one, said)


def _one(match: re.Match[str]) -> str:
    said = match[0]
    if len(said) == 3:
        byte = unquote_to_bytes(said)
        return byte.decode() if byte[0] in _UNRESERVED else said.upper()
    return quote_from_bytes(said.encode(errors="replace"), safe="")  # half a character is a question mark in UTF-8


def _shown(url: str) -> str:
    return repr(url.partition("@")[2][:80] if "@" in url else url[:80])
