"""What backups find on a machine of ours: a key that age takes, and places that no path breaks."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pyrage import x25519

from actors.trades.backups.places import place
from deploy.defaults import backup_key, keeping
from deploy.defaults.backup_key import of
from wire.slices.backup import Backup


@pytest.mark.parametrize("secret", [bytes(32), bytes(range(32)), b"\xff" * 32])
def test_a_key_is_one_of_age(secret: bytes) -> None:
    assert of(secret) == str(x25519.Identity.from_str(of(secret)))


def test_the_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "backup.key"
    key = backup_key.kept(file)

    assert key == backup_key.kept(file)
    assert (0o600, [file]) == (stat.S_IMODE(file.stat().st_mode), list(tmp_path.iterdir()))
    assert Backup(key=key).key.get_secret_value() == key


def test_what_somebody_has_said_stands(tmp_path: Path) -> None:
    said = {"WARREN_BACKUP_KEY": "k", "WARREN_BACKUP_PLACES": "p", "WARREN_CLEANUP_ROOTS": "r"}

    assert {} == keeping.environ(said, tmp_path, []) | keeping.cleaning(said, tmp_path)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [".warren", "a, b", "a=b", "100%", "é"])
def test_a_folder_stands_in_for_the_bucket_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    found = keeping.environ({}, folder, [])
    backup = Backup.model_validate({"places": found["WARREN_BACKUP_PLACES"], "key": found["WARREN_BACKUP_KEY"]})

    assert (folder / "backups/s3/db").as_uri() + "/" == place("s3://backups/db/", backup).lies
    assert (folder / "backups").as_uri() + "/" == place((folder / "backups").as_uri(), backup).lies
