"""Keep a document as it came, as an artifact of the job that fetched it."""

from __future__ import annotations

from actors.context import context
from actors.ends import PermanentError
from actors.saving import Saving
from actors.trades.outbound.document import Document
from actors.trades.reading.markup import is_html


def archive(document: Document, name: str) -> Saving:
    """On its way; a type that its site has misspelt is left out."""
    kind = document.headers.get("content-type")
    said = f"{name}.html" if is_html(kind, document.body) else name
    try:
        return context().save_artifact(said, document.body, kind)
    except PermanentError:
        return context().save_artifact(said, document.body)
