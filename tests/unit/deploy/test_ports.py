"""A drawn port is its drawer's: nobody else draws it before a server listens there, and the server may."""

from __future__ import annotations

import random
import socket
import subprocess
import sys

import pytest

from deploy.machine import ports

DRAW = "import random, deploy.machine.ports as p; p.random = random.Random({seed}); print(p.free_port())"


@pytest.fixture
def seed(monkeypatch: pytest.MonkeyPatch) -> int:
    seed = random.SystemRandom().randrange(2**32)
    monkeypatch.setattr(ports, "random", random.Random(seed))
    return seed


def _drawn_elsewhere(seed: int) -> int:
    """What another process draws that rolls the same dice."""
    return int(subprocess.check_output([sys.executable, "-c", DRAW.format(seed=seed)], text=True))


def test_two_processes_with_the_same_dice_draw_two_ports(seed: int) -> None:
    mine = ports.free_port()

    assert mine != _drawn_elsewhere(seed)


def test_a_server_listens_on_a_port_that_is_kept(seed: int) -> None:
    port = ports.free_port()
    usable = ports.is_free(port)
    with socket.create_server((ports.LOOPBACK, port)), socket.create_connection((ports.LOOPBACK, port)):
        listening = ports.is_free(port)

    assert (True, False) == (usable, listening)
