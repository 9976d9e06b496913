"""Pure parts: pauses, roles, the greeting, the gate's steps, the locks."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from deploy.gate import memory, steps
from deploy.running import leftovers, roles
from deploy.running.folder import Folder, Running
from deploy.running.greeting import curl, greeting
from deploy.running.supervise import pause_before_restart
from deploy.servers import postgres

ROOT = Path(__file__).parents[3]
PYTHON = Path("/v/bin/python")


@pytest.mark.parametrize(("deaths", "seconds"), [(1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (50, 30)])
def test_the_pause_before_a_restart_doubles_up_to_half_a_minute(deaths: int, seconds: float) -> None:
    assert pause_before_restart(deaths) == seconds


def test_leftovers_are_drained_in_the_reverse_order_of_the_start() -> None:
    started = [role.name for role in roles.roles(PYTHON, None, 20)]

    assert list(leftovers.ROLES) == started[::-1]


def test_workers_may_take_their_whole_drain() -> None:
    workers = roles.roles(PYTHON, 3, drain_seconds=100)[-1]

    assert workers.stop_seconds > 100
    assert workers.words[-2:] == ["--processes", "3"]


def test_what_was_decided_here_wins_over_every_other_spelling() -> None:
    theirs = {"RABBITMQ_URL": "amqp://old", "API_PORT": "1", "GRPC_PORT": "2", "HOME": "/h"}
    found = {"AMQP_URL": "amqp://new", "DATABASE_URL": "postgresql://new"}
    environ = roles.child_environ(theirs, found, 8001, ROOT, Path("/v"))

    assert {"RABBITMQ_URL", "API_PORT", "GRPC_PORT"}.isdisjoint(environ)
    assert (environ["WARREN_AMQP_URL"], environ["WARREN_PORT"], environ["HOME"]) == ("amqp://new", "8001", "/h")


def test_artifacts_lie_beside_the_other_data_unless_somebody_has_named_a_place() -> None:
    assert {"WARREN_ARTIFACTS_URL": "/d/artifacts"} == roles.artifacts_environ(
        {"MINIO_BUCKET": ""}, Path("/d/artifacts")
    )
    for name in ("WARREN_ARTIFACTS_URL", "WARREN_ARTIFACTS_BUCKET", "MINIO_BUCKET"):
        assert {} == roles.artifacts_environ({name: "said"}, Path("/d/artifacts"))


def test_so_does_mail() -> None:
    assert {"WARREN_MAIL_OUTBOX": "/d/outbox"} == roles.outbox_environ({}, Path("/d/outbox"))
    assert {} == roles.outbox_environ({"WARREN_MAIL_OUTBOX": "/mine"}, Path("/d/outbox"))
    assert {"WARREN_MIGRATION_FOLDER": "/d/databases"} == roles.databases_environ({}, Path("/d/databases"))
    assert {} == roles.databases_environ({"WARREN_MIGRATION_FOLDER": "/mine"}, Path("/d/databases"))


def test_the_printed_curl_carries_the_key_in_both_of_its_calls() -> None:
    """
    That it works when pasted is shown in the journey.
    """
    assert curl("http://127.0.0.1:8000", "it's").count(shlex.quote("X-API-Key: it's")) == 2


def test_the_greeting_names_every_address() -> None:
    running = Running("http://127.0.0.1:8000", [("RabbitMQ", "amqp://h")], api_key=None)
    text = greeting(running, Path("/d/env"))

    assert [
        word for word in ("/dashboard", "/api/v1/jobs", "/docs", "amqp://h", ". /d/env", "curl") if word not in text
    ] == []


def test_arguments_narrow_pytest_and_nothing_else() -> None:
    narrowed = steps.steps(ROOT, Path("/v/bin"), ["-k", "x"], Path("/r"))

    assert [step.name for step in narrowed] == ["format", "lint", "types", "imports", "tests"]
    assert narrowed[-1].words[-2:] == ["-k", "x"]


def test_a_place_that_is_no_folder_or_has_too_little_room_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "ENOUGH_BYTES", 2**63)

    assert [None, None] == [memory.folder(tmp_path / "nowhere"), memory.folder(tmp_path)]
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock", "requirements-bench.lock"])
def test_a_lock_names_versions_and_no_place(lock: str) -> None:
    """
    A registry, a mirror or a path of one machine would fail on every other.
    """
    lines = (ROOT / "deploy" / lock).read_text().splitlines()

    assert [line for line in lines if not re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==\S+( ; .+)?$", line)] == []


def _pins(lock: str) -> set[str]:
    return {line.partition(" ;")[0] for line in lock.splitlines()}


def test_the_test_lock_holds_all_of_the_other() -> None:
    """
    The same versions; a tool of the tests may need one where we do not.
    """
    plain, test = ((ROOT / "deploy" / name).read_text() for name in ("requirements.lock", "requirements-test.lock"))

    assert _pins(plain) <= _pins(test)


def test_three_old_logs_are_kept(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    for start in range(6):
        folder.turn_over("gateway")
        folder.log("gateway").write_text(str(start))

    assert [path.read_text() for path in sorted(folder.logs.glob("gateway.log*"))] == ["5", "4", "3", "2"]


def test_a_value_with_a_quote_survives_being_sourced(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    folder.write_env({"AMQP_URL": "amqp://u:p'$(x)@h/"})

    assert shlex.split(folder.env.read_text()) == ["export", "AMQP_URL=amqp://u:p'$(x)@h/"]
    assert folder.env.stat().st_mode & 0o777 == 0o600


def test_a_socket_is_only_where_its_path_can_be_named() -> None:
    assert postgres.has_socket(Path("/home/ada/.local/share/warren/postgres/cluster"))
    assert not postgres.has_socket(Path("/" + "a" * 93))
    assert not any(map(postgres.has_socket, (Path("/a,b"), Path('/a"b'))))


def test_the_way_through_the_socket_is_a_url_that_names_its_folder() -> None:
    assert "postgresql://warren:s@/warren?host=%2Fa%20b&port=5433" == postgres.near(Path("/a b"), 5433, "s")
