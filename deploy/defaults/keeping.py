"""What `backup_task` and `cleanup_task` find on a machine of ours, unless somebody has said otherwise.

There is no object store, so a folder stands in for `s3://backups/`, and a job's result says so; the key is made here;
the programs are those of the Postgres that runs here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from deploy.defaults import backup_key
from deploy.servers.postgres import Postgres
from deploy.servers.sources import Server

CACHE = "/tmp/application_cache"  # noqa: S108 - to be cleared; nobody writes there


def environ(said: Mapping[str, str], folder: Path, servers: Iterable[Server]) -> dict[str, str]:
    """What is not said yet; `warren restore` needs it as well."""
    ours = [server for server in servers if isinstance(server, Postgres)]
    found = {"WARREN_BACKUP_PLACES": places(folder / "backups")}
    if not said.get("WARREN_BACKUP_KEY"):
        found["WARREN_BACKUP_KEY"] = backup_key.kept(folder / "backup.key")
    if ours:
        found["WARREN_BACKUP_PROGRAMS"] = str(ours[0].binaries.folder)
    return {name: value for name, value in found.items() if not said.get(name)}


def cleaning(said: Mapping[str, str], outbox: Path) -> dict[str, str]:
    """Mail that nobody has fetched may be cleared away, too."""
    if said.get("WARREN_CLEANUP_ROOTS") or "," in str(outbox):
        return {}
    return {"WARREN_CLEANUP_ROOTS": f"{CACHE},{outbox}"}


def places(folder: Path) -> str:
    """As a list of settings takes them: no sign of a path may look like one of the list's."""
    here = f"file://{quote(str(folder))}/"
    return f"s3://backups/={here}s3/,{here}"
