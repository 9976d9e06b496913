"""Every change of the clocks that the zones' own files list is found, and none that they do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import resources
from zoneinfo import _zoneinfo  # the one reader that shows what a file lists

import pytest

from wire.times import zones

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_a_change_is_found_to_the_second() -> None:
    ends = zones.stretch("Australia/Lord_Howe", datetime(2026, 1, 1, tzinfo=UTC)).ends

    assert datetime(2026, 4, 4, 15, tzinfo=UTC) == ends
    assert zones.stretch("Australia/Lord_Howe", ends).begins == ends
    assert zones.stretch("Australia/Lord_Howe", ends - timedelta(microseconds=1)).ends == ends


@pytest.mark.long
def test_the_changes_are_those_that_the_files_list() -> None:
    """
    What comes after the last one listed follows from a rule, in the files as for us.
    """
    differing = [name for name in sorted(zones.names()) if (listed := _listed(name)) and listed != _found(name, listed)]

    assert [] == differing


def _found(name: str, listed: list[datetime]) -> list[datetime]:
    found, instant = [], EPOCH
    while (stretch := zones.stretch(name, instant)).ends <= listed[-1]:
        instant = stretch.ends
        found += [instant] if stretch.offset != stretch.after else []
    return found


def _listed(name: str) -> list[datetime]:
    with (resources.files("tzdata") / "zoneinfo" / name).open("rb") as file:
        read = _zoneinfo.ZoneInfo.from_file(file)
    found, offset = [], read._tti_before.utcoff if read._tti_before else None
    for seconds, after in zip(read._trans_utc, read._ttinfos, strict=True):
        if offset != after.utcoff and seconds > 0:
            found.append(EPOCH + timedelta(seconds=seconds))
        offset = after.utcoff
    return found
