"""`deploy/prove`: set up, put Warren on trial (and stock Dramatiq beside it), print the ledger, leave nothing behind.

Everything lies in one private folder under the temporary directory.  A guard watches over it: should this very process
be killed, the guard kills what it had started.  The folder stays when something was lost, or with `--keep`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.proof import contestants, page
from deploy.proof.contestant import Contestant
from deploy.proof.contestants import Ground
from deploy.proof.ledger import Ledger
from deploy.proof.scene import Scene
from deploy.proof.trial import Trial
from deploy.provision import venv
from deploy.provision.errands import Errands, Stopped
from deploy.provision.install import CannotInstall
from deploy.running.folder import Folder
from deploy.running.prepare import Preparation
from deploy.running.roles import migrate
from deploy.servers import guard, rabbitmq
from deploy.servers.instance import Instance
from deploy.servers.sources import NoServer, choose, rabbitmq_choice
from deploy.terminal.interrupts import Interrupts
from deploy.terminal.options import Prove, Up
from deploy.terminal.screen import Screen

FAILED, STOPPED = 1, 130
SOURCES = ("native", "install")  # a container is not ours to kill and to find again


class Proof:
    def __init__(self, root: Path, options: Prove, place: Path) -> None:
        self._root, self._options, self._place = root, options, place
        self._screen = Screen()
        self._interrupts = Interrupts(lambda _: self._screen.line("  stopping, and taking everything away"))
        self._errands = Errands(place / "up.log")
        self._ground = Ground(root, venv.place(root, place), options.workers, dict(os.environ))

    def run(self) -> int:
        """The exit code."""
        self._interrupts.install()
        self._screen.line(page.title(self._options.jobs, self._ground.tuning))
        ledgers = {"Warren": self._warren()}
        if self._options.against:
            peer = f"Dramatiq {contestants.dramatiq_version()}"
            self._screen.line(page.peer_title(f"Stock {peer}", self._options.workers))
            ledgers[peer] = self._dramatiq()
        ours = ledgers["Warren"]
        width = shutil.get_terminal_size().columns
        shown = [page.ledgers(ledgers), page.stall(ours), "", page.promises(width), "", page.verdict(ours)]
        self._screen.line("\n".join(shown))
        return exit_code(ours)

    def _warren(self) -> Ledger:
        folder = self._folder("warren")
        with ExitStack() as closing:
            preparation = self._preparation(folder)
            closing.callback(lambda: self._stop(_instances(preparation)))
            self._prepare(preparation)
            contestant = contestants.warren(self._ground, folder, _instances(preparation))
            self._migrate(contestant)
            return self._try(contestant)

    def _dramatiq(self) -> Ledger:
        folder = self._folder("dramatiq")
        choice = rabbitmq_choice(folder.path / "rabbitmq", folder.log("rabbitmq"), _none_to_install)
        broker = choose(choice, ("native",))
        assert isinstance(broker, rabbitmq.RabbitMQ)
        with ExitStack() as closing:
            closing.callback(lambda: self._stop([broker]))
            self._screen.step("rabbitmq", "starting another, which nobody has used")
            broker.start()
            return self._try(contestants.stock_dramatiq(self._ground, folder, broker))

    def _try(self, contestant: Contestant) -> Ledger:
        self._screen.step("processes", ", ".join(role.name for role in contestant.roles))
        with Scene(contestant, self._options.jobs, self._screen, self._interrupts.stop).standing() as scene:
            self._screen.event("everything is up", page.crew(contestant))
            ledger = Trial(scene).run()
        (contestant.folder.path / "lost").write_text("".join(f"{job}\n" for job in ledger.lost))
        return ledger

    def _preparation(self, folder: Folder) -> Preparation:
        """As `up` does it, but for servers that somebody else runs: those are not ours to kill."""
        asked = Up(folder.path, 1, "127.0.0.1", self._options.workers, False, SOURCES, {})
        return Preparation(folder, asked, self._ground.venv, self._errands, self._screen.step)

    def _prepare(self, preparation: Preparation) -> None:
        try:
            preparation.run(self._interrupts.stop)
        except (CannotInstall, NoServer) as fault:
            raise CannotInstall(
                "deploy/prove kills RabbitMQ and Postgres, so it needs them as programs of this machine; "
                f"in Docker they are not its to kill.\n{fault}"
            ) from fault

    def _migrate(self, contestant: Contestant) -> None:
        self._screen.step("postgres", "migrating")
        self._errands.run(migrate(self._ground.venv.python), environ=dict(contestant.environ))

    def _folder(self, name: str) -> Folder:
        folder = Folder(self._place / name)
        folder.make()
        return folder

    def _stop(self, servers: list[Instance]) -> None:
        for server in reversed(servers):
            if self._options.keep:
                server.stop()
            else:
                server.kill()  # its data is thrown away


def exit_code(ours: Ledger) -> int:
    """Only Warren is judged; the other is shown."""
    return FAILED if ours.faults else 0


def run(root: Path, options: Prove) -> int:
    place = Path(tempfile.mkdtemp(prefix="warren-proof-"))
    with _guarded(place):
        os.chdir(place)  # the processes read `.env` of the folder they start in: here is none
        try:
            code = Proof(root, options, place).run()
        except Stopped:
            code = STOPPED
        except BaseException:
            _keep(place)
            raise
        if options.keep or code == FAILED:
            _keep(place)
        shutil.rmtree(place, ignore_errors=True)
    return code


def _keep(place: Path) -> None:
    """Out of the guard's sight."""
    kept = place.rename(place.with_name(f"{place.name}-kept"))
    print(f"\n  kept: {kept}  (witness, logs, data)", flush=True)


@contextmanager
def _guarded(place: Path) -> Iterator[None]:
    """Should we be killed: what we started is, too, and its folder removed."""
    lease = place.with_suffix(".lease")
    held = guard.lease(lease)
    guard.post(lease, place)
    try:
        yield
    finally:
        os.close(held)


def _instances(preparation: Preparation) -> list[Instance]:
    return [server for server in preparation.servers if isinstance(server, Instance)]


def _none_to_install() -> rabbitmq.Binaries:
    raise AssertionError("RabbitMQ was found a minute ago")
