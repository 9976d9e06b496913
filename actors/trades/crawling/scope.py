"""Which links a crawl follows, and which documents it takes for one.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from wire.web_address import host_of

# what is no document by its name; nobody is asked for it
_OTHER: Final = (
    "7z apk avi avif bin bmp bz2 css csv dmg doc docx eot epub exe flac gif gz ico iso jar jpeg jpg js json m4a m4v "
    "mkv mov mp3 mp4 mpeg mpg msi odp ods odt ogg ogv otf pdf png ppt pptx ps rar rpm svg tar tgz tif tiff ttf wav "
    "webm webp wmv woff woff2 xls xlsx xz zip"
)
OTHER: Final = frozenset(_OTHER.split())
_FRONT: Final = ("", "/")


def same_document(said: str | None, url: str) -> bool:
    """Whether a document at this URL is believed when it says that its one address is that one.

    Of its own host only: nobody can make a crawl pass over a document of somebody else's.  And not where it names the
    front page, unless it is that page in another spelling: templates that say so on every page are common, and the
    whole site would be one document.
    """
    if said is None or said == url or host_of(said) != host_of(url):
        return False
    there, here = urlsplit(said), urlsplit(url)
    return there.path not in _FRONT or bool(there.query) or here.path in _FRONT


@dataclass(frozen=True, slots=True)
class Scope:
    """Of one crawl."""

    url: str  # where it began
    depth: int
    same_host: bool
    path: str  # prefix of the paths that it stays within

    def leads_on(self, links: Iterable[str], depth: int) -> list[str]:
        """Those of a document's links that are followed from that depth."""
        return [link for link in links if self.takes(link)] if depth < self.depth else []

    def takes(self, url: str) -> bool:
        path = urlsplit(url).path
        if not path.startswith(self.path) or path.rpartition(".")[2].lower() in OTHER:
            return False
        return not self.same_host or host_of(url) == host_of(self.url)
