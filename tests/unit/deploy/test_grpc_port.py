"""The port of the gRPC door: named, kept, or found."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from deploy.defaults.grpc_port import DEFAULT, FILE, GrpcPort
from deploy.machine.ports import LOOPBACK, free_port


def chosen(folder: Path, named: int | None = None) -> GrpcPort:
    one = GrpcPort(folder, named)
    one.choose()
    return one


@pytest.mark.parametrize("named", [0, 7])
def test_what_was_named_is_taken(tmp_path: Path, named: int) -> None:
    assert {"WARREN_GRPC_PORT": f"{named}"} == chosen(tmp_path, named).environ()


def test_it_stays_the_same_over_a_restart(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f"{free_port()}\n")
    kept = int((tmp_path / FILE).read_text())

    assert [kept, kept] == [chosen(tmp_path).port, chosen(tmp_path).port]


def test_another_is_found_where_somebody_has_it(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / FILE).write_text(f"{port}\n")
        found = chosen(tmp_path).port

    assert found not in (0, port)
    assert found == chosen(tmp_path).port


def test_the_first_is_the_one_that_people_expect(tmp_path: Path) -> None:
    assert GrpcPort(tmp_path, None)._kept() == DEFAULT == 50051


def test_clients_are_told_where_it_is(tmp_path: Path) -> None:
    assert "[::1]:7" == chosen(tmp_path, 7).target("http://[::1]:8000")
    assert "" == chosen(tmp_path, 0).target("http://127.0.0.1:8000")
