"""A folder comes back as it was; what was cut, changed or made up does not come back at all."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

import warren
from actors.catalogue.backup_task import back_up
from actors.configured import configured_as
from actors.inline import Ran, run_inline
from actors.trades.backups import unfolding
from actors.trades.backups.folder import Filled
from actors.trades.backups.restore import restore
from actors.trades.backups.wanted import Wanted
from deploy.defaults.backup_key import of
from tests.s3 import S3, s3_served
from wire.errors import Refused
from wire.slices.artifacts import Artifacts
from wire.slices.backup import Backup

KEY, OTHER = of(bytes(range(32))), of(b"\x07" * 32)
JOB = UUID("019aa5d2-0000-7000-8000-000000000001")


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_served(tmp_path_factory.mktemp("s3")) as one:
        yield one


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with something of everything in it."""
    folder = tmp_path / "uploads"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "deep/er/large").write_bytes(bytes(range(256)) * 9_000)
    (folder / "é\n").write_text("ü")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).touch()
    (folder / ("n" * 200)).write_text("long")
    (folder / "run").write_text("#!")
    (folder / "run").chmod(0o4751)
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "fifo")
    os.utime(folder / "deep", (1, 1_234_567_890.25))
    return folder


@pytest.fixture
def settings(source: Path, tmp_path: Path) -> Iterator[Backup]:
    """A worker's, which keeps backups in a folder."""
    backup = Backup(places=(f"s3://backups/={tmp_path}/backups/",), key=SecretStr(KEY), folders=(str(source),))
    with configured_as(backup, Artifacts()):
        yield backup


def backed_up(folder: Path, job_id: UUID | None = None, **more: Any) -> Ran:
    asked = {"backup_type": "files", "destination": "s3://backups/files/", "source": str(folder), "encryption": True}
    return run_inline(back_up, {**asked, **more}, job_id=job_id)


def restored(address: str, to: Path, backup: Backup, artifacts: Artifacts | None = None, **more: Any) -> None:
    asyncio.run(restore(Wanted(address, str(to), **more), backup, artifacts or Artifacts(), str))


def seen(folder: Path) -> dict[str, object]:
    """All that can be told of what is in it."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        told = path.lstat()
        content: object = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        time = 0.0 if path.is_symlink() else told.st_mtime
        found[str(path.relative_to(folder))] = (content, 0 if path.is_symlink() else told.st_mode & 0o777, time)
    return found


def lies(ran: Ran, what: str) -> Path:
    return Path(str(ran.result[what]).removeprefix("file://"))


def test_a_folder_comes_back_as_it_was(source: Path, settings: Backup, tmp_path: Path) -> None:
    ran = backed_up(source)
    assert "completed" == ran.ended, ran.error
    restored("s3://backups/files/", tmp_path / "back", settings)
    before = seen(source)
    del before["fifo"]

    assert before == seen(tmp_path / "back")
    assert 0o751 == (tmp_path / "back/run").stat().st_mode & 0o7777


def test_what_shrinks_while_it_is_read_is_told(tmp_path: Path) -> None:
    """
    The tar has said already how long it is.
    """
    name = os.fsdecode(b"\xff log")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(b"x" * 100_000)
    level, made = _Shrinking(tmp_path / "in" / name), io.BytesIO()
    with tarfile.open(fileobj=made, mode="w|") as tar:
        level.add(tar)
    made.seek(0)
    with tarfile.open(fileobj=made) as tar:
        assert [100_000] == [entry.size for entry in tar]
    assert {name} == set(level.left)


class _Shrinking:
    """A file that is cut off behind its first block."""

    def __init__(self, file: Path) -> None:
        self.file, self.left = file, list[str]()

    def add(self, tar: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(self.file.name)
        with self.file.open("rb") as opened:
            entry.size = os.fstat(opened.fileno()).st_size
            os.truncate(self.file, 10)
            filled: Any = Filled(opened, self.left, self.file.name)
            tar.addfile(entry, filled)


def test_a_folder_comes_back_from_s3(source: Path, s3: S3, tmp_path: Path) -> None:
    """
    With the keys that artifacts are kept with.
    """
    artifacts = s3.settings()
    backup = Backup(places=("s3://bucket/nightly/",), key=SecretStr(KEY), folders=(str(source),))
    with configured_as(backup, artifacts):
        first = backed_up(source, destination="s3://bucket/nightly/a", name="up")
        backed_up(source, destination="s3://bucket/nightly/a", name="up", keep=1)
    restored("s3://bucket/nightly/a/", tmp_path / "back", backup, artifacts)

    assert ("completed", False) == (first.ended, first.result["stand_in"])
    assert (source / "deep/er/large").read_bytes() == (tmp_path / "back/deep/er/large").read_bytes()
    held = s3.keys()
    assert 2 == len([key for key in held if key.startswith("nightly/a/up-")])


def test_a_job_that_is_tried_again_makes_no_second_backup(source: Path, settings: Backup, tmp_path: Path) -> None:
    """
    A worker died when all was written and nothing recorded.
    """
    first, second = backed_up(source, JOB), backed_up(source, JOB)

    assert first.result["location"] == second.result["location"]
    assert 2 == len(list((tmp_path / "backups/files").iterdir()))


def test_older_ones_go_and_what_is_not_ours_stays(source: Path, settings: Backup, tmp_path: Path) -> None:
    first = backed_up(source)
    stranger = tmp_path / "backups/files/uploads-notes.json"
    stranger.touch()
    other = backed_up(source, name="uploads-too")
    last = backed_up(source, keep=1)
    left = {path.name for path in stranger.parent.iterdir()}

    assert {lies(first, "location").name, lies(first, "manifest").name} == set(last.result["removed"])
    assert {
        stranger.name,
        *(lies(ran, what).name for ran in (other, last) for what in ("location", "manifest")),
    } == left


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def added_to(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"x")


def changed(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def gone(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("encryption", [True, False])
@pytest.mark.parametrize("spoil", [cut, added_to, changed, gone])
def test_what_was_spoilt_is_not_restored(
    source: Path, settings: Backup, tmp_path: Path, spoil: Callable[[Path], None], encryption: bool
) -> None:
    ran = backed_up(source, encryption=encryption)
    spoil(lies(ran, "location"))

    with pytest.raises(Exception, match=r"^backup: ") as refused:
        restored(str(ran.result["location"]), tmp_path / "back", settings)
    assert "Traceback" not in str(refused.value)
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize(
    ("key", "words"),
    [(OTHER, "^backup: cannot be opened"), ("", "^WARREN_BACKUP_KEY: "), ("age1" + "q" * 58, "^WARREN_BACKUP_KEY: ")],
)
def test_another_key_opens_nothing(source: Path, settings: Backup, tmp_path: Path, key: str, words: str) -> None:
    ran = backed_up(source)
    with pytest.raises(Refused, match=words):
        restored(str(ran.result["location"]), tmp_path / "back", settings.model_copy(update={"key": SecretStr(key)}))
    assert not (tmp_path / "back").exists()


def test_with_the_public_key_a_backup_is_made_and_not_opened(source: Path, settings: Backup, tmp_path: Path) -> None:
    from pyrage import x25519  # noqa: PLC0415

    public = str(x25519.Identity.from_str(KEY).to_public())
    with configured_as(settings.model_copy(update={"key": SecretStr(public)})):
        ran = backed_up(source)
    restored(str(ran.result["manifest"]), tmp_path / "back", settings)

    assert ("completed", "sum", public) == (ran.ended, ran.result["verified"], ran.result["recipient"])
    assert "ü" == (tmp_path / "back/é\n").read_text()


def test_what_is_there_stays_unless_somebody_insists(source: Path, settings: Backup, tmp_path: Path) -> None:
    backed_up(source)
    (tmp_path / "back").mkdir()
    (tmp_path / "back/mine").write_text("mine")
    (tmp_path / "back/run").symlink_to(tmp_path / "target")
    (tmp_path / "target").write_text("not touched")
    with pytest.raises(Refused, match="there is something in"):
        restored("s3://backups/files/", tmp_path / "back", settings)
    restored("s3://backups/files/", tmp_path / "back", settings, force=True)

    assert ("mine", "not touched") == ((tmp_path / "back/mine").read_text(), (tmp_path / "target").read_text())
    assert "#!" == (tmp_path / "back/run").read_text()


def test_the_command_restores_and_says_what_it_does(
    source: Path, settings: Backup, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    With what deploy/up writes into .warren/env.
    """
    backed_up(source)
    (tmp_path / ".warren").mkdir()
    (tmp_path / ".warren/env").write_text(f"export WARREN_BACKUP_PLACES={settings.places[0]}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARREN_BACKUP_KEY", KEY)
    monkeypatch.setenv("WARREN_BACKUP_PLACES", settings.places[0])  # so that it is taken away again
    monkeypatch.delenv("WARREN_BACKUP_PLACES")
    codes = [warren.main(["restore", "s3://backups/files/", "--to", "back", *more]) for more in ([], [], ["--force"])]
    told = capsys.readouterr()

    assert [0, 1, 0] == codes
    assert "warren restore: --to: there is something in" in told.err
    assert "restored" == told.out.splitlines()[-1]
    assert (tmp_path / "back/run").exists()


def entry(name: str, **more: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for word, value in more.items():
        setattr(made, word, value)
    return made


@pytest.mark.parametrize(
    "entries",
    [
        [entry("../out")],
        [entry("/tmp/out")],
        [entry("a/../../out")],
        [entry("a//out")],
        [entry("up", type=tarfile.SYMTYPE, linkname=".."), entry("up/out")],
        [entry("here", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
        [entry("device", type=tarfile.CHRTYPE)],
        [entry("file"), entry("file")],
        [entry("file"), entry("file/below")],
    ],
    ids=lambda entries: "+".join(one.name for one in entries),
)
def test_no_entry_leads_out_of_the_folder(tmp_path: Path, entries: list[tarfile.TarInfo]) -> None:
    made, to = io.BytesIO(), tmp_path / "to"
    with tarfile.open(fileobj=made, mode="w|") as tar:
        for one in entries:
            tar.addfile(one)
    to.mkdir()
    sink = unfolding.Unfolding(str(to), force=False, owners=False)
    sink.write(made.getvalue())
    with pytest.raises((Refused, OSError)):
        sink.finish()

    assert ["to"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"source": "/etc"}, "payload.source: is in none of the folders"),
        ({"source": None}, "payload.source"),
        ({"source": "{source}/../.."}, "payload.source"),
        ({"destination": "s3://other/"}, "payload.destination: is in none of the places"),
        ({"destination": "s3://backups/../other/"}, "payload.destination: is in none of the places"),
        ({"destination": "/etc/cron.d"}, "payload.destination: is in none of the places"),
        ({"destination": "http://backups/"}, "payload.destination: is in none of the places"),
        ({"backup_type": "database"}, "payload.source: is of files"),
        ({"name": "../x"}, "payload.name"),
        ({"keep": 0}, "payload.keep"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_door(
    source: Path, settings: Backup, asked: dict[str, Any], words: str
) -> None:
    asked = {name: value.format(source=source) if isinstance(value, str) else value for name, value in asked.items()}
    with pytest.raises(Refused) as refused:
        backed_up(source, **asked)

    assert words in str(refused.value)


def test_encryption_without_a_key_is_refused_by_the_settings_name(source: Path, settings: Backup) -> None:
    with configured_as(settings.model_copy(update={"key": SecretStr("")})), pytest.raises(Refused) as refused:
        backed_up(source)

    assert "payload.encryption" == refused.value.field
    assert "WARREN_BACKUP_KEY" in refused.value.remedy


def test_a_manifest_that_lies_is_refused(source: Path, settings: Backup, tmp_path: Path) -> None:
    ran = backed_up(source, encryption=False)
    told = json.loads(lies(ran, "manifest").read_text())
    for name, value in {"file": "../../etc/passwd", "content_bytes": 5, "size_bytes": 10**15, "version": 2}.items():
        lies(ran, "manifest").write_text(json.dumps({**told, name: value}))
        with pytest.raises(Exception, match=r"manifest: |backup: |away"):
            restored(str(ran.result["location"]), tmp_path / "back", settings)
    assert not (tmp_path / "back").exists()
