"""An attempt's own folder: private, one each, gone with its process at the latest."""

from __future__ import annotations

import stat
from pathlib import Path
from uuid import UUID

import pytest

from actors.scratch import Scratches, UnsafeScratch, file_name

JOB = UUID(int=7)


def test_nothing_is_made_before_somebody_asks(tmp_path: Path) -> None:
    Scratches(str(tmp_path)).stop()

    assert [] == list(tmp_path.iterdir())


def test_each_attempt_has_a_folder_for_this_user_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)  # as the system's own is, and volumes of containers are
    scratches = Scratches(str(tmp_path / "scratch"))
    first, again, next_one = scratches.make(JOB, 1), scratches.make(JOB, 1), scratches.make(JOB, 2)

    assert first == again != next_one
    assert {0o700} == {stat.S_IMODE(folder.stat().st_mode) for folder in (first, first.parent, first.parent.parent)}


def test_what_a_killed_process_left_is_deleted_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    """
    Its lock is gone with it, as here by closing; a link among the folders is not followed.
    """
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "kept").touch()
    living = Scratches(str(tmp_path)).make(JOB, 1)
    root = living.parents[1]
    killed = root / "0f2a"
    (killed / "7.1").mkdir(parents=True)
    (killed / "7.1" / "half a film").touch()
    (root / "link").symlink_to(foreign)
    Scratches(str(tmp_path)).tidy()

    assert (False, True, True) == (killed.exists(), living.exists(), (foreign / "kept").exists())


def test_the_folders_go_when_the_process_stops(tmp_path: Path) -> None:
    scratches = Scratches(str(tmp_path / "scratch"))
    folder = scratches.make(JOB, 1)
    scratches.stop()
    scratches.stop()

    assert not folder.parent.exists()


@pytest.mark.parametrize("how", ["link", "open to all"])
def test_a_root_that_others_could_have_prepared_is_refused(tmp_path: Path, how: str) -> None:
    root = Scratches(str(tmp_path)).root
    if how == "link":
        root.symlink_to(tmp_path)
    else:
        root.mkdir()
        root.chmod(0o777)

    with pytest.raises(UnsafeScratch, match="WARREN_SCRATCH_FOLDER"):
        Scratches(str(tmp_path)).make(JOB, 1)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        (".bashrc", "bashrc"),
        ("...", "file"),
        ("a\\b/c.csv", "a_b_c.csv"),
        ("ü" * 250 + ".parquet", "ü" * 96 + ".parquet"),
    ],
)
def test_a_label_becomes_a_file_name_that_leads_nowhere(label: str, name: str) -> None:
    assert name == file_name(label)
