"""Packages are installed without a service of theirs being started, and what forbids it is put back."""

from __future__ import annotations

import os
import signal
import subprocess
from io import FileIO
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "deploy" / "apt-install"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
THEIRS = "#!/bin/sh\nexit 104 # theirs\n"


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """An apt-get that only notes what it would have been allowed to do."""
    fake = tmp_path / "bin" / "apt-get"
    fake.parent.mkdir()
    fake.write_text(f"""#!/bin/sh
sh {tmp_path}/policy >/dev/null; echo "policy $? $*" >>{tmp_path}/seen
cat {tmp_path}/clusters/warren.conf >>{tmp_path}/seen 2>/dev/null
[ -e {tmp_path}/hang ] && exec cat /dev/zero >{tmp_path}/hangs
exit 0
""")
    fake.chmod(0o755)
    path = f"{fake.parent}:{os.environ['PATH']}"
    places = {"POLICY_RC_D": f"{tmp_path}/policy", "CREATECLUSTER_D": f"{tmp_path}/clusters", "TMPDIR": str(tmp_path)}
    return {**os.environ, **places, "PATH": path}


def install(machine: dict[str, str], *packages: str) -> None:
    subprocess.run([SCRIPT, *packages], env=machine, check=True, capture_output=True)


def hanging_call(tmp_path: Path, machine: dict[str, str]) -> tuple[subprocess.Popen[bytes], FileIO]:
    """A call whose apt-get writes for ever; it is no shell, which may lose a SIGINT while it forks."""
    os.mkfifo(tmp_path / "hangs")
    call = subprocess.Popen(
        [SCRIPT, "rabbitmq-server"],
        env=machine,
        start_new_session=True,
        # xdist ignores SIGINT and nohup SIGHUP, and that would be inherited; no thread here could hold a lock
        preexec_fn=lambda: [signal.signal(number, signal.SIG_DFL) for number in SIGNALS],  # noqa: PLW1509
    )
    pipe = FileIO(tmp_path / "hangs")  # kept open: apt-get hangs on it as long as nobody reads on
    pipe.read(1)
    return call, pipe


@pytest.mark.parametrize("before", [None, THEIRS])
def test_services_are_forbidden_for_the_call_and_only_for_it(
    tmp_path: Path, machine: dict[str, str], before: str | None
) -> None:
    if before:
        (tmp_path / "policy").write_text(before)
    install(machine, "rabbitmq-server")

    assert (tmp_path / "seen").read_text().startswith("policy 101 ")
    assert ((tmp_path / "policy").read_text() if (tmp_path / "policy").exists() else None) == before


def test_a_postgres_package_makes_no_cluster_of_its_own(tmp_path: Path, machine: dict[str, str]) -> None:
    install(machine, "postgresql")

    assert "create_main_cluster = false" in (tmp_path / "seen").read_text()
    assert not (tmp_path / "clusters" / "warren.conf").exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_call_puts_the_old_policy_back(
    tmp_path: Path, machine: dict[str, str], number: signal.Signals
) -> None:
    (tmp_path / "policy").write_text(THEIRS)
    (tmp_path / "hang").touch()
    call, pipe = hanging_call(tmp_path, machine)
    os.killpg(call.pid, number)  # as a terminal does: the whole group
    call.wait(60)
    pipe.close()

    assert call.returncode != 0
    assert (tmp_path / "policy").read_text() == THEIRS


def test_after_a_kill_the_next_call_puts_it_back(tmp_path: Path, machine: dict[str, str]) -> None:
    (tmp_path / "policy").write_text(THEIRS)
    (tmp_path / "hang").touch()
    call, pipe = hanging_call(tmp_path, machine)
    os.killpg(call.pid, signal.SIGKILL)
    call.wait(60)
    pipe.close()
    (tmp_path / "hang").unlink()
    install(machine, "rabbitmq-server")

    assert (tmp_path / "policy").read_text() == THEIRS
