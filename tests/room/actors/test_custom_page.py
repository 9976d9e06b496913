"""The operation on docs/custom.md and its test run as they stand there."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

from actors.trades.operations import registry

ROOT = Path(__file__).parents[3]


def test_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = re.findall(r"```python\n# (\S+)\n(.*?)```", (ROOT / "docs" / "custom.md").read_text(), re.S)
    for name, code in written:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name.replace("tests/", "")).write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        importlib.import_module("test_operations").test_an_index_is_rebuilt()
    finally:
        known = registry._known.pop("rebuild_index", None)
        for module in ("test_operations", "shop.operations", "shop"):
            sys.modules.pop(module, None)

    assert ["shop/operations.py", "tests/test_operations.py"] == [name for name, _ in written]
    assert known is not None
