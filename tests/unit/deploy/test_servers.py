"""The order in which servers are looked for, with the earlier sources hidden one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.servers import docker, postgres, rabbitmq
from deploy.servers.sources import Choice, Given, NoServer, Server, choose, sources_for

NATIVE, CONTAINER, INSTALLED = (Given(name, "X", "amqp://h") for name in ("native", "container", "installed"))


def choice(native: Server | None) -> Choice:
    return Choice(lambda: native, lambda: CONTAINER, lambda: INSTALLED)


def test_binaries_on_this_machine_come_first() -> None:
    assert choose(choice(NATIVE)) == NATIVE


def test_without_binaries_and_without_an_engine_they_are_installed() -> None:
    assert choose(choice(None), ("native", "install")) == INSTALLED


def test_a_source_that_was_not_asked_for_is_not_used() -> None:
    assert choose(choice(NATIVE), ("install",)) == INSTALLED


def test_when_nothing_is_to_be_had_the_error_says_what_to_install() -> None:
    with pytest.raises(NoServer, match="install rabbitmq-server and postgresql"):
        choose(choice(None), ("native",))


def test_a_client_without_an_engine_is_no_engine(tmp_path: Path) -> None:
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    client.chmod(0o755)

    assert not docker.answers(str(client))
    assert not docker.answers(str(tmp_path / "absent"))


def test_hidden_binaries_are_not_found(tmp_path: Path) -> None:
    assert postgres.find((f"{tmp_path}/*/bin",), path="") == []
    assert rabbitmq.find((f"{tmp_path}/*/bin",), path="") == []


def test_a_wrapper_alone_is_no_broker(tmp_path: Path) -> None:
    """
    Debian's /usr/sbin/rabbitmq-server insists on root or a system user.
    """
    (tmp_path / "rabbitmq-server").touch(mode=0o755)

    assert rabbitmq.find((), path=str(tmp_path)) == []


@pytest.mark.parametrize(
    ("made_by", "sources"),
    [("cluster", ("native", "install")), (docker.MARK, ("docker",)), ("nobody", ("native", "docker", "install"))],
)
def test_data_stay_with_what_made_them(tmp_path: Path, made_by: str, sources: tuple[str, ...]) -> None:
    (tmp_path / made_by).mkdir()

    assert sources_for(tmp_path) == sources


def test_data_of_another_major_version_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("14\n")
    found = [postgres.Binaries(Path("/a"), 18), postgres.Binaries(Path("/b"), 15)]

    assert postgres.fits(found, tmp_path) == []
    with pytest.raises(postgres.ServerFailed, match="holds data of Postgres 14; found 18, 15"):
        postgres.suitable(found, tmp_path)


def test_a_new_folder_gets_the_newest(tmp_path: Path) -> None:
    found = [postgres.Binaries(Path("/a"), 18), postgres.Binaries(Path("/b"), 15)]

    assert postgres.suitable(found, tmp_path).major == 18
