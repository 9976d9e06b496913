"""A page of HTML as a PDF, by WeasyPrint.

It may load nothing, neither from the web nor from a disk: a template or a product's name that mentions
`file:///etc/passwd` or a metadata service gets an empty place.  Only pictures that are in the page (`data:`) are shown.
The libraries of the system that it needs are told by the names of their packages where they are missing.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from actors.ends import PermanentError

PACKAGES: Final = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-liberation"
SILENT: Final = logging.CRITICAL + 1


class NoPdf(PermanentError):
    """This machine cannot make one."""


@dataclass(frozen=True, slots=True)
class Pdf:
    content: bytes
    pages: int


def pdf(html: str) -> Pdf:
    """The page on paper."""
    weasyprint = _library()
    from weasyprint.urls import URLFetcher  # noqa: PLC0415

    document = weasyprint.HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=("data",)))
    with _quiet():
        pages = document.render(pdf_tags=True)
        return Pdf(pages.write_pdf(), len(pages.pages))


def _library() -> Any:
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told):  # it prints where to read about installing
            return _loaded()
    except OSError as e:
        raise NoPdf(
            f"a PDF needs libraries of the system that are missing here ({str(e)[:200]}); "
            f"on the workers' machines: apt-get install {PACKAGES}. HTML and CSV need none of them"
        ) from e


def _loaded() -> Any:
    import weasyprint  # noqa: PLC0415 - heavy: only who makes a PDF loads it

    return weasyprint


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """It warns of every property that it does not know, one line each; that is for who writes templates."""
    logger = logging.getLogger("weasyprint")
    before = logger.level
    logger.setLevel(SILENT)
    try:
        yield
    finally:
        logger.setLevel(before)
