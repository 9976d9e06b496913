"""The settings that job types go by: those of the process that runs them, set where its life begins.

    roots = configured(Cleanup).roots

A function that `@job` made is called with its payload and nothing else, and must not read the environment; so it asks
here.  Outside of a worker, in a test or a script, there are the defaults, or what `configured_as` says.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TypeVar

from wire.settings import Settings, Slice

Kind = TypeVar("Kind", bound=Slice)
_known: dict[type[Slice], Slice] = {}


def configure(settings: Settings) -> None:
    """Once a process, before its job modules are loaded: what a type's schema says may depend on them."""
    _known.update({kind: getattr(settings, name) for name, kind in Settings.slices.items()})


def configured(kind: type[Kind]) -> Kind:
    """This slice, as the process was started with it."""
    found = _known.get(kind)
    return found if isinstance(found, kind) else kind()


@contextlib.contextmanager
def configured_as(*slices: Slice) -> Iterator[None]:
    """Other settings than the default ones, for tests and scripts."""
    before = dict(_known)
    _known.update({type(one): one for one in slices})
    try:
        yield
    finally:
        _known.clear()
        _known.update(before)
