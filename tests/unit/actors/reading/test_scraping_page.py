"""docs/scraping.md shows what is taken: its payloads pass the door, its modules can be imported."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import warren
from actors.catalogue.crawl_url import Start
from actors.catalogue.scrape_article import WantedArticle
from actors.catalogue.scrape_website import Website

PAGE = (Path(__file__).parents[4] / "docs/scraping.md").read_text()
MODELS: dict[str, type[BaseModel]] = {
    "scrape_article": WantedArticle, "scrape_website": Website, "crawl_url": Start
}  # fmt: skip
JOBS = [
    json.loads(text)
    for text in re.findall(r"```json\n(\{\"type.*?)```|-d '(\{.*?)'", PAGE, re.DOTALL)
    for text in text
    if text
]
MODULES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_all_three_are_shown() -> None:
    assert set(MODELS) == {job["type"] for job in JOBS}
    assert len(MODULES) == 2


@pytest.mark.parametrize("job", JOBS)
def test_a_payload_passes_the_door(job: dict[str, object]) -> None:
    MODELS[str(job["type"])].model_validate(job["payload"])


@pytest.mark.parametrize("text", MODULES)
def test_what_a_module_imports_is_there(text: str) -> None:
    shown = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom) and node.module == "warren"]

    assert [] == [name.name for node in shown for name in node.names if not hasattr(warren, name.name)]
    assert shown


def test_every_field_is_explained() -> None:
    fields = {name for model in (WantedArticle, Start) for name in model.model_fields}

    assert [] == [name for name in fields if f"`{name}`" not in PAGE]
