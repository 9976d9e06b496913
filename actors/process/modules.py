"""Find and import the modules that declare job types: ours, those that settings name, those of entry points."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import dramatiq

from actors import catalogue
from wire.errors import Refused, SettingsError

ENTRY_POINTS: Final = "warren.actors"
ROOMS: Final = ("actors", "deploy", "gateway", "persistence", "scheduler", "wire")


def load_job_modules(named: tuple[str, ...]) -> None:
    """Import them all; SettingsError names the module that is not there."""
    refuse_namesakes()
    own = [f"{catalogue.__name__}.{module.name}" for module in pkgutil.iter_modules(catalogue.__path__)]
    for name in own:
        importlib.import_module(name)
    if "" not in sys.path:
        sys.path.insert(0, "")  # a module beside the person who starts the worker
    for name in (*named, *(point.value for point in entry_points(group=ENTRY_POINTS))):
        _import(name)


def refuse_namesakes() -> None:
    """A user's package that bears a room's name would be imported in its place, or hide behind it."""
    home = Path(__file__).parents[2]
    for room in ROOMS:
        for folder in (Path(entry or ".") for entry in sys.path):
            place = folder / room
            if place.is_dir() and (place / "__init__.py").exists() and place.resolve() != home / room:
                raise SettingsError([f"the package {place} has the name of a room of Warren; rename it"])


def _import(name: str) -> None:
    ours = dramatiq.get_broker()
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name and (name == e.name or name.startswith(f"{e.name}.")):
            raise SettingsError([f"WARREN_ACTORS names {name}, which cannot be imported: {e}"]) from None
        raise SettingsError([f"{name} of WARREN_ACTORS needs a module that is not installed: {e}"]) from e
    except (Refused, ValueError, TypeError) as e:  # what a decorator says of an actor it cannot take
        raise SettingsError([f"{name} of WARREN_ACTORS cannot be loaded: {e}"]) from e
    if dramatiq.get_broker() is not ours:
        remedy = "take dramatiq.set_broker out: the worker has set one, and a sender calls warren.broker()"
        raise SettingsError([f"{name} of WARREN_ACTORS sets a broker of its own; {remedy}"])
