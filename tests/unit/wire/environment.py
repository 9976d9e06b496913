"""An environment of a test's own, from which settings are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from wire.errors import SettingsError
from wire.settings import Settings, load

AMQP = "amqp://u:s3cr3t@h:5672/v"
POSTGRES = "postgresql://u:s3cr3t@h:5432/d"


class Here:
    """An environment and a `.env` of one's own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch, self._folder = monkeypatch, folder
        monkeypatch.setattr("os.environ", {"PATH": "/bin"})
        monkeypatch.chdir(folder)

    def load(self, **names: str) -> Settings:
        self._monkeypatch.setattr("os.environ", {"AMQP_URL": AMQP, "DATABASE_URL": POSTGRES} | names)
        return load()

    def faults(self, **names: str) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            self.load(**names)
        return caught.value.faults

    def dotenv(self, text: str | bytes) -> None:
        (self._folder / ".env").write_bytes(text if isinstance(text, bytes) else text.encode())
