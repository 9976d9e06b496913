"""Find a dataset: an artifact, a URL, a file in one of the folders that `WARREN_DATASETS` names, or a shipped sample.

A name leads nowhere but into those folders: neither by `..`, nor by a link that points out of them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from actors.configured import configured
from actors.ends import PermanentError
from actors.trades.inputs.bring import SAMPLE, bring, is_artifact, shipped
from actors.trades.samples.found import KNOWN, SALES
from actors.trades.tables.named import PROBLEM, STEP
from wire.slices.datasets import Datasets

ENDINGS: Final = ("csv", "tsv", "txt", "json", "ndjson", "jsonl", "parquet")
PACKED: Final = ("", ".gz", ".zst")
MOST_TOLD: Final = 20
MOST_LOOKED_AT: Final = 1_000  # files of a folder, for the list of what there is
_STEP: Final = re.compile(STEP)


async def found(source: str, *, field: str) -> Path:
    """The file of this dataset, or PermanentError that names the payload's field."""
    settings = configured(Datasets)
    if is_artifact(source) or source.startswith(SAMPLE) or "://" in source:
        return await bring(source, most_bytes=settings.dataset_max_bytes, field=field)
    if not all(_STEP.fullmatch(step) for step in source.split("/")):
        raise PermanentError(f"{field}: {source[:200]!r} {PROBLEM}")
    fitting = [file for folder in settings.datasets for file in _fitting(Path(folder), source)]
    if len(fitting) > 1:
        names = ", ".join(sorted(file.name for file in fitting))
        raise PermanentError(f"{field}: {source!r} may be any of {names}; name it with its ending")
    if fitting:
        return _checked(fitting[0], settings.dataset_max_bytes, field)
    if source in KNOWN:
        return shipped(source, field)
    raise PermanentError(f"{field}: there is no dataset {source!r}{_hint(source, settings)}")


def _fitting(folder: Path, name: str) -> list[Path]:
    """What bears this name in the folder, with its ending or without; the exact name counts alone."""
    home = folder.resolve()
    exact = folder / name
    if _is_inside(exact, home):
        return [exact]
    files = (exact.with_name(f"{exact.name}.{ending}{packed}") for ending in ENDINGS for packed in PACKED)
    return [file for file in files if _is_inside(file, home)]


def _is_inside(file: Path, home: Path) -> bool:
    try:
        real = file.resolve(strict=True)
    except (OSError, RuntimeError):  # no such file, or links in a circle
        return False
    return real.is_file() and real.is_relative_to(home)


def _checked(file: Path, most: int, field: str) -> Path:
    size = file.stat().st_size
    if size > most:
        raise PermanentError(
            f"{field}: {file.name} has {size} bytes; at most {most} are taken (WARREN_DATASET_MAX_BYTES)"
        )
    return file.resolve()


def _hint(name: str, settings: Datasets) -> str:
    known = sorted({*_names(settings), *(one for one in KNOWN if one == SALES)})
    near = difflib.get_close_matches(name, known, n=1)
    more = ", …" if len(known) > MOST_TOLD else ""
    return (f" ({near[0]}?)" if near else "") + f"; known: {', '.join(known[:MOST_TOLD])}{more}"


def _names(settings: Datasets) -> Iterator[str]:
    for folder in settings.datasets:
        home = Path(folder)
        if not home.is_dir():
            continue
        for _, file in zip(range(MOST_LOOKED_AT), home.iterdir(), strict=False):
            if file.is_file() and not file.name.startswith("."):
                yield file.name
