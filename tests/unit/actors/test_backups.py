"""The pure parts of backups: which go, where they go, what pg_dump is told, and what a manifest may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from actors.ends import PermanentError
from actors.trades.backups.manifest import Stem, stem
from actors.trades.backups.places import place
from actors.trades.backups.programs import environment, program
from actors.trades.backups.retention import Keep, outlived
from wire.errors import Refused
from wire.slices.backup import Backup

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
JOB = UUID("019aa5d2-0000-7000-8000-000000000001")


def files(series: str, days: float, number: int = 1, *, whole: bool = True) -> list[str]:
    """A backup that is so many days old."""
    name = str(Stem(series, NOW - timedelta(days=days), UUID(int=number)))
    return [f"{name}.pgdump.zst.age", *[f"{name}.json"] * whole]


MADE = Stem("db", NOW, UUID(int=1))
NEW = files("db", 0)


@pytest.mark.parametrize(
    ("there", "keep", "gone"),
    [
        ([files("db", 1)], Keep(), []),
        ([files("db", 1), files("db", 2)], Keep(newest=2), files("db", 2)),
        ([files("db", 1), files("db", 2)], Keep(newest=9), []),
        ([files("db", 1), files("db", 8)], Keep(younger_than=timedelta(days=7)), files("db", 8)),
        ([files("db", 8), files("db", 9)], Keep(2, timedelta(days=7)), files("db", 9)),
        ([files("db", 1), files("db", 2)], Keep(1, timedelta(days=7)), []),
        ([files("db", 0, number=2), files("db", 0, number=0)], Keep(newest=2), files("db", 0, number=0)),
        ([files("db", 9, whole=False), files("db", 1, whole=False)], Keep(newest=9), files("db", 9, whole=False)),
        ([files("db", 9, whole=False)], Keep(), []),
        ([files("db-2", 99), files("d", 99), files("other", 99)], Keep(newest=1), []),
        ([["db-notes.json", "db.json", "db-20260101T000000Z-x.json", f"{files('db', 99)[0]}".replace(".", "")]],
         Keep(newest=1), []),
        ([files("db", -5)], Keep(newest=1), files("db", -5)),
    ],
)  # fmt: skip
def test_what_is_outlived_goes_and_nothing_else(there: list[list[str]], keep: Keep, gone: list[str]) -> None:
    """
    Of the same second the last name counts as newest; the one just made never goes, whatever its clock said.
    """
    names = [*NEW, *(name for one in there for name in one)]

    assert sorted(gone) == sorted(outlived(names, MADE, keep, NOW))


def test_manifests_go_first() -> None:
    """
    A backup that is half deleted must not be taken for one.
    """
    gone = outlived([*NEW, *files("db", 1), *files("db", 2)], MADE, Keep(newest=1), NOW)

    assert [True, True, False, False] == [name.endswith(".json") for name in gone]


@pytest.mark.parametrize("series", ["db", "a-b.c_d", "x-20260101T000000Z", "-", "..."])
def test_a_stem_is_read_as_it_was_written(series: str) -> None:
    found = stem(f"{Stem(series, NOW, JOB)}.json")

    assert found is not None
    assert (series, NOW, JOB) == (found.series, found.at, found.job_id)


@pytest.mark.parametrize("name", ["", "db.json", "db-20261345T000000Z", f"db-20261321T120000Z-{JOB}.json", "a/b"])
def test_what_is_no_stem_is_none(name: str) -> None:
    assert stem(name) is None


SETTINGS = Backup(places=("s3://backups/=/srv/b/", "s3://backups/deep/=s3://real/x/", "/var/kept"))


@pytest.mark.parametrize(
    ("destination", "lies"),
    [
        ("s3://backups/db/", "file:///srv/b/db/"),
        ("s3://backups/db", "file:///srv/b/db/"),
        ("s3://backups", "file:///srv/b/"),
        ("s3://backups/deep/er", "s3://real/x/er/"),
        ("/var/kept/a", "file:///var/kept/a/"),
        ("file:///var/kept/a/", "file:///var/kept/a/"),
    ],
)
def test_a_destination_lies_where_the_settings_say(destination: str, lies: str) -> None:
    assert lies == place(destination, SETTINGS).lies


@pytest.mark.parametrize(
    "destination",
    [
        "", "s3://", "s3://other/", "s3://backupsx/", "/var/keptx", "/", "/var", "s3://backups/../x", "s3://backups/./x",
        "s3://backups//x", "s3://backups/%2e%2e/x", "s3://backups/a\0b", "s3://backups/a?b", "s3://backups/a#b", "ftp://x/",
        "s3://backups/é", "file://host/var/kept", "//var/kept", "/var/kept/..", "s3://user:pw@backups/", "s3://backups/a\n",
    ],
)  # fmt: skip
def test_no_destination_leads_elsewhere(destination: str) -> None:
    with pytest.raises(PermanentError, match=r"^payload\.destination: "):
        place(destination, SETTINGS)


@pytest.mark.parametrize(
    "said", ["", "backups", "s3://", "http://x/", "/a/../b", "file:///a/%2e%2e/b", "s3://u:p@b/", "s3://a/=x"]
)
def test_a_place_that_is_none_stops_the_start(said: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        Backup(places=(said,))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u:p%40@h:5433/d", {"PGUSER": "u", "PGPASSWORD": "p@", "PGHOST": "h", "PGPORT": "5433"}),
        ("postgresql://u@/d?host=%2Frun%2Fpg&port=5434", {"PGHOST": "/run/pg", "PGPORT": "5434", "PGDATABASE": "d"}),
        ("postgresql://u@[::1]:5/d%20b?sslmode=verify-full", {"PGHOST": "::1", "PGSSLMODE": "verify-full"}),
        ("postgresql://a:1,b:2/d", {"PGHOST": "a,b", "PGPORT": "1,2"}),
        ("postgresql:///d", {"PGDATABASE": "d"}),
    ],
)
def test_libpq_is_told_by_the_environment(url: str, told: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARREN_BACKUP_KEY", "secret")
    found = environment(url)

    assert told.items() <= found.items()
    assert "secret" not in found.values()


def fake(folder: Path, version: str) -> str:
    folder.mkdir()
    (folder / "pg_dump").write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
    (folder / "pg_dump").chmod(0o755)
    return str(folder / "pg_dump")


def test_the_program_of_the_servers_own_version_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What a newer one writes says things that the server does not know; an older one refuses.
    """
    paths = {major: fake(tmp_path / str(major), f"{major}.2 (Debian)") for major in (14, 16, 18)}
    monkeypatch.setenv("PATH", "/nowhere")
    usual = [f"{tmp_path}/*"]
    found = [program("pg_dump", major, usual=usual) for major in (13, 15, 16, 17)]

    assert [paths[14], paths[16], paths[16], paths[18]] == found
    assert paths[18] == program("pg_dump", 15, str(tmp_path / "18"))
    with pytest.raises(
        Refused, match=r"pg_dump of Postgres 19 or newer .*found 14, 16, 18; install postgresql-client-19"
    ):
        program("pg_dump", 19, usual=usual)
    with pytest.raises(Refused, match="none was found"):
        program("pg_dump", 15, str(tmp_path))
