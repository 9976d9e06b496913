"""May this be connected to?  By the target alone, and then by every address that its name has.

A name of which one address is internal is refused as a whole: no honest name mixes them, and which one is used would
be chance.  Pure but for the log, where operators find the address that the job is not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import Context

import structlog

from actors.context import current
from actors.trades.outbound.addresses import internal, opened_by_name
from actors.trades.outbound.failures import Forbidden
from actors.trades.outbound.target import Target
from wire.reach import Address, Allowed, allowed, ports
from wire.slices import Outbound

log = structlog.get_logger()


class Judge:
    """Of one set of rules."""

    def __init__(self, entries: tuple[Allowed, ...], open_ports: frozenset[int] | None) -> None:
        self._entries, self._ports = entries, open_ports

    @classmethod
    def of(cls, settings: Outbound) -> Judge:
        return cls(allowed(settings.allow), ports(settings.ports))

    def of_strangers(self) -> Judge:
        """The same without the allow-list: for where a public document sends us."""
        return Judge((), self._ports) if self._entries else self

    def check(self, target: Target) -> None:
        """Forbidden for what needs no name server to be refused."""
        if target.address is not None:
            self.addresses(target.host, target.port, (target.address,))
        elif not self._open(target.port) and not self._may_be_listed(target):
            raise Forbidden(_closed(target.place, target.port))

    def trusts(self, target: Target) -> bool:
        """Whether the allow-list itself has it, by name or address: an internal target, which may know our trace."""
        host, port, address = target.host, target.port, target.address
        return any(
            entry.names(host, port) or (address is not None and entry.covers(address, port)) for entry in self._entries
        )

    def addresses(self, host: str, port: int, found: Sequence[Address]) -> bool:
        """Forbidden unless each may be connected to; whether one of them is there by the allow-list only."""
        by_list = [self._by_list(host, port, address) for address in found]
        return any(by_list)

    def _by_list(self, host: str, port: int, address: Address) -> bool:
        """Whether the list is what lets it through; Forbidden if nothing does."""
        kind = internal(address)
        entries = [entry for entry in self._entries if entry.names(host, port) or entry.covers(address, port)]
        if kind is not None:
            entries = [entry for entry in entries if entry.network is not None or opened_by_name(kind)]
            if not entries:
                self._refuse(host, port, address, kind)
        if not self._open(port) and not any(entry.port == port for entry in entries):
            raise Forbidden(_closed(host, port))
        return bool(entries)

    def _refuse(self, host: str, port: int, address: Address, kind: str) -> None:
        told = {"host": host, "port": port, "address": str(address), "kind": kind, **_job()}
        Context().run(log.warning, "outbound_refused", **told)  # not in the job's context: it could read the line
        named = f"{host} is {kind}" if host == str(address) else f"{host} leads to an internal address"
        raise Forbidden(f"{named}, which jobs may not reach; WARREN_OUTBOUND_ALLOW names those they may")

    def _open(self, port: int) -> bool:
        return self._ports is None or port in self._ports

    def _may_be_listed(self, target: Target) -> bool:
        return any(entry.port == target.port and entry.name in (None, target.host) for entry in self._entries)


def _closed(place: str, port: int) -> str:
    return (
        f"{place}: jobs may not reach port {port}; WARREN_OUTBOUND_PORTS and WARREN_OUTBOUND_ALLOW say which they may"
    )


def _job() -> dict[str, str]:
    job = current.get(None)
    return {"job_id": str(job.job_id)} if job else {}
