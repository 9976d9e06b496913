"""What is old goes, where jobs may delete and nowhere else, whatever lies in the way."""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.catalogue.cleanup_task import clean
from actors.configured import configured_as
from actors.ends import PermanentError
from actors.inline import Ran, run_inline
from actors.trades.cleaning import walk
from actors.trades.cleaning.account import Account
from actors.trades.cleaning.sorts import Sort
from actors.trades.folders import Roots
from wire.slices.cleanup import Cleanup

DAY = 86_400.0


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A folder in which jobs may delete, with another beside it."""
    (tmp_path / "beside").mkdir()
    made(tmp_path / "beside/old", days=100)
    (tmp_path / "root").mkdir()
    with configured_as(Cleanup(roots=(str(tmp_path / "root"),))):
        yield tmp_path / "root"
    assert (tmp_path / "beside/old").exists()


def made(file: Path, *, days: float, read: float | None = None, size: int = 10) -> Path:
    """A file that was last written, and read, so many days ago."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    aged(file, days, read)
    return file


def aged(path: Path, days: float, read: float | None = None) -> None:
    now = time.time()
    os.utime(path, (now - (days if read is None else read) * DAY, now - days * DAY), follow_symlinks=False)


def cleaned(path: Path | str, **more: Any) -> Ran:
    asked = {"cleanup_type": "temp_files", "retention_days": 7, "path": str(path), **more}
    return run_inline(clean, asked)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_what_is_old_goes_and_is_told(root: Path) -> None:
    made(root / "old", days=8, size=1_000)
    made(root / "young", days=6)
    made(root / "deep/er/old", days=8, size=24)
    aged(root / "deep/er", 8)
    aged(root / "deep", 2)

    ran = cleaned(root)

    assert (["deep", "young"], "completed") == (names(root), ran.ended)
    assert (2, 1, 1_024, 0) == tuple(
        ran.result[word] for word in ("deleted", "deleted_folders", "freed_bytes", "not_deleted")
    )
    assert ["deep/er/", "deep/er/old", "old"] == sorted(ran.result["first"])
    assert (1.0, "2 of 5 went, 0.0 MB") == ran.progress[-1]


def test_a_dry_run_tells_the_same_and_deletes_nothing(root: Path) -> None:
    made(root / "old", days=8)
    made(root / "deep/er/old", days=8)
    aged(root / "deep/er", 8)
    before = names(root)
    dry = cleaned(root, dry_run=True).result
    there = names(root)
    wet = cleaned(root).result

    assert before == there
    different = {"dry_run": True, "older_than": dry["older_than"]}
    assert dry == {**wet, **different}


def test_a_folder_that_is_not_there_is_clean(root: Path) -> None:
    ran = cleaned(root / "never/was")

    assert ("completed", False, 0) == (ran.ended, ran.result["found"], ran.result["deleted"])


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("temp_files", ["folder", "folder/young"]),
        ("cache", ["folder", "folder/young", "was_read"]),
        ("logs", ["a.txt", "empty", "folder", "folder/young", "was_read"]),
        ("empty_folders", ["a.log", "a.txt", "app.log.2.gz", "folder", "folder/young", "was_read"]),
    ],
)
def test_each_kind_takes_its_own(root: Path, kind: str, left: list[str]) -> None:
    for name in ("a.log", "app.log.2.gz", "a.txt"):
        made(root / name, days=8)
    made(root / "was_read", days=8, read=1)
    made(root / "folder/young", days=1)
    (root / "empty").mkdir()
    aged(root / "empty", 8)
    aged(root / "folder", 8)
    ran = cleaned(root, cleanup_type=kind)

    assert ("completed", left) == (ran.ended, names(root))


def test_only_names_that_fit_a_pattern_go(root: Path) -> None:
    for name in ("a.tmp", "b.tmp.keep", "c.cache", "folder/d.tmp"):
        made(root / name, days=8)
    aged(root / "folder", 8)
    cleaned(root, patterns=["*.tmp", "?.cache"])

    assert ["b.tmp.keep", "folder"] == names(root)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("{root}/../beside", "`..` is not followed"),
        ("{root}/sub/../../beside", "`..` is not followed"),
        ("{root}beside", "none of the folders"),
        ("{root}/..", "`..` is not followed"),
        ("/", "none of the folders"),
        ("/etc", "none of the folders"),
        ("beside", "not a folder's absolute path"),
        ("", "not a folder's absolute path"),
        ("{root}/file", "no folder"),
        ("{root}/out", "symbolic link"),
        ("{root}/out/deeper", "symbolic link"),
        ("{root}/\x00", "not a folder's absolute path"),
    ],
)
def test_no_spelling_leads_out_of_a_root(root: Path, path: str, words: str) -> None:
    (root / "file").touch()
    (root / "out").symlink_to(root.parent / "beside")

    with pytest.raises(PermanentError, match=r"^payload\.path: ") as refused:
        Roots("payload.path", "is in none of the folders", "S", [str(root)]).place(path.format(root=root)).opened()
    assert words in str(refused.value)


def test_a_root_that_is_a_link_is_not_followed(root: Path) -> None:
    """
    Whoever is first below /tmp could say otherwise what it means.
    """
    root.rmdir()
    root.symlink_to(root.parent / "beside")
    ran = cleaned(root)

    assert ("failed", "permanent") == (ran.ended, ran.reason)


def test_links_go_and_what_they_lead_to_stays(root: Path) -> None:
    (root / "to_file").symlink_to(root.parent / "beside/old")
    (root / "to_folder").symlink_to(root.parent / "beside")
    aged(root / "to_file", 8)
    aged(root / "to_folder", 8)
    ran = cleaned(root)

    assert ([], 2) == (names(root), ran.result["deleted"])


def test_doors_stay(root: Path) -> None:
    os.mkfifo(root / "fifo")
    aged(root / "fifo", 8)
    with socket.socket(socket.AF_UNIX) as door:
        here = os.open(root, os.O_RDONLY)
        door.bind(f"/proc/self/fd/{here}/door")
        os.close(here)
    aged(root / "door", 8)
    cleaned(root)

    assert ["door", "fifo"] == names(root)


def test_a_folder_that_becomes_a_link_under_way_is_not_entered(root: Path) -> None:
    """
    The race that a walk by names loses: looked at as a folder, entered as a link.
    """
    made(root / "folder/old", days=8)
    account = walked(root, _Swapping)

    assert ([{"path": "folder", "reason": "Not a directory"}], 0) == (account.left, account.files)


def walked(folder: Path, kind: type[walk.Walk], mount: tuple[int, str] | None = None) -> Account:
    """The account of a walk in which everything is old."""
    account, number = Account(), os.open(folder, os.O_RDONLY)
    kind(Sort("temp_files", math.inf), False, lambda: False, str, account, mount or walk.mount(number)).through(number)
    os.close(number)
    return account


class _Swapping(walk.Walk):
    """Somebody is quick, between the look and the step."""

    def _folder(self, above: int, name: str, path: str, found: os.stat_result, depth: int) -> bool:
        root = Path(os.readlink(f"/proc/self/fd/{above}"))
        (root / name).rename(root.parent / "away")
        (root / name).symlink_to(root.parent / "beside")
        return super()._folder(above, name, path, found, depth)


def test_another_file_system_is_not_entered(root: Path) -> None:
    made(root / "mounted/old", days=8)
    account = walked(root, walk.Walk, mount=(0, "another"))

    assert ([{"path": "mounted", "reason": "is another file system"}], 0) == (account.left, account.files)


def test_what_is_too_deep_is_told(root: Path) -> None:
    here = root
    for _ in range(walk.DEEPEST + 5):
        here = here / "d"
        here.mkdir()
    ran = cleaned(root)

    assert ("completed", 1) == (ran.ended, ran.result["not_deleted"])
    assert "folders deep" in ran.result["left"][0]["reason"]


def test_names_that_are_no_text_are_told(root: Path) -> None:
    broken = Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe"))
    made(broken, days=8)
    made(root / ("n" * 255), days=8)
    ran = cleaned(root)

    assert ("completed", ["\\xff\\xfe", "n" * 255]) == (ran.ended, sorted(ran.result["first"]))


def test_another_name_of_a_file_frees_nothing(root: Path) -> None:
    made(root / "one", days=8)
    os.link(root / "one", root.parent / "beside/two")
    ran = cleaned(root)

    assert (1, 0) == (ran.result["deleted"], ran.result["freed_bytes"])


def test_who_is_asked_to_stop_stops(root: Path) -> None:
    made(root / "old", days=8)
    ran = run_inline(clean, {"path": str(root)}, cancelled=True)

    assert ("cancelled", ["old"]) == (ran.ended, names(root))


def test_what_cannot_be_deleted_is_told() -> None:
    """
    Not even root can delete these.
    """
    account = walked(Path("/proc/self/fdinfo"), walk.Walk)

    assert (0, {"Operation not permitted"}) == (account.files, {one["reason"] for one in account.left})
    assert account.left_count >= 3
