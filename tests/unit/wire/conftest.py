"""What the tests of settings stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.wire.environment import Here


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Here:
    return Here(monkeypatch, tmp_path)
