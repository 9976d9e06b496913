"""One contestant's trial: a wave of jobs for each fault, which strikes in the middle of it; then a last wave in peace.

The wave after a fault is not sent before the fault is mended, so that each of them finds the contestant at work.
"""

from __future__ import annotations

import time

from deploy.proof.faults import FAULTS, Fault
from deploy.proof.ledger import Ledger, Recorded, ledger
from deploy.proof.scene import Scene

MENDED_SECONDS = 90.0
DONE_SECONDS = 180.0
QUIET_SECONDS = 15.0  # who keeps no record and has ended nothing for so long has nothing left


class Trial:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._screen = scene.screen
        self._strikes: list[tuple[float, str]] = []

    def run(self) -> Ledger:
        scene = self._scene
        faults = [fault for fault in FAULTS if scene.contestant.has(fault.needs)]
        wave = scene.jobs // (len(faults) + 1)
        for fault in faults:
            self._wave(wave, fault)
        scene.producer.ask(scene.jobs - wave * len(faults))
        self._screen.now("the last jobs, in peace")
        self._wait_for_the_end()
        self._screen.now("")
        for words, times in scene.producer.odd.items():
            self._screen.event("an odd answer", f"{words}, {times:,} times")
        recorded = self._recorded()
        scene.look()  # who runs a second time may have done so meanwhile
        return ledger(
            scene.producer.accepted,
            scene.book.events,
            asked=scene.jobs,
            kills=scene.kills,
            outages=scene.outages,
            purged=scene.purged,
            strikes=self._strikes,
            recorded=recorded,
        )

    def _wave(self, jobs: int, fault: Fault) -> None:
        self._screen.now(f"next: {fault.name}")
        struck = fault.strike(self._scene, jobs)
        self._strikes.append((struck.since, fault.name))
        at = self._screen.seconds - (time.monotonic() - struck.since)
        self._screen.now(f"{fault.name} …")
        mended = self._scene.within(struck.mended, MENDED_SECONDS)
        not_yet = f"and {MENDED_SECONDS:.0f} s later not mended"
        self._screen.event(fault.name, struck.story(time.monotonic() - struck.since) if mended else not_yet, at)

    def _wait_for_the_end(self) -> None:
        """Until every accepted job has ended, or nothing more is to be hoped for."""
        scene, over = self._scene, time.monotonic() + DONE_SECONDS

        def left() -> float:
            return over - time.monotonic()

        scene.within(lambda: len(scene.producer.accepted) >= scene.jobs, left())
        if scene.purged and scene.within(lambda: scene.purged <= scene.book.ended or self._nothing_left(), left()):
            self._tell_what_became_of_the_purged()
        scene.within(lambda: not scene.outstanding or self._nothing_left(), left())

    def _tell_what_became_of_the_purged(self) -> None:
        purged, ended = self._scene.purged, self._scene.book.ended
        after = time.monotonic() - self._scene.purged_at
        if purged <= ended:
            self._screen.event("the purged jobs", f"all are done, {after:.0f} s after the purge")

    def _nothing_left(self) -> bool:
        if self._scene.contestant.recorded is not None:
            return False
        events = self._scene.book.events
        return bool(events) and time.monotonic() - events[-1].at > QUIET_SECONDS

    def _recorded(self) -> Recorded | None:
        """What the contestant has written down, once it calls no job unfinished any more."""
        ask = self._scene.contestant.recorded
        if ask is None:
            return None
        found = ask()
        deadline = time.monotonic() + DONE_SECONDS / 6
        while found.unfinished and time.monotonic() < deadline:
            found = ask()
        return found
