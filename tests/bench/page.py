"""Put a run's tables into docs/performance.md, between the marks that stand there; all else on the page is prose."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
PLOT = "performance.png"  # beside it
BEGIN, END = "<!-- {} begin: written by `python -m tests.bench --write-docs` -->", "<!-- {} end -->"


def rewritten(text: str, part: str, inside: str) -> str:
    """The page with this part anew; a page without its marks is an error, not a page without figures."""
    begin, end = BEGIN.format(part), END.format(part)
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"docs/performance.md lacks `{begin}` or `{end}`")
    return f"{head}{begin}\n\n{inside}\n\n{end}{tail}"


def write(parts: dict[str, str], page: Path = PAGE) -> None:
    text = page.read_text()
    for part, inside in parts.items():
        text = rewritten(text, part, inside)
    page.write_text(text)
