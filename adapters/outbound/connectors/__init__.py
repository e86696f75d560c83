"""Connected systems: one module each, registered by name, built from a system's configuration.

Other packages add theirs under the entry point group `trettio.connectors`; README.md shows how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import TypeVar

import urllib3

from adapters.outbound import http
from services.ports import Connector

Configuration = Mapping[str, str]
"""A system's options and secrets, e.g. {"url": …, "token": …, "organizer": …}."""

GROUP = "trettio.connectors"

C = TypeVar("C", bound=Callable[[Configuration], Connector])

_registered: dict[str, Callable[[Configuration], Connector]] = {}


class Misconfigured(ValueError):
    """A system's configuration lacks something; the message names the system and the key."""


def connector(name: str) -> Callable[[C], C]:
    """Register a connector under the name that profiles use."""

    def register(factory: C) -> C:
        _registered[name] = factory
        return factory

    return register


def names() -> tuple[str, ...]:
    """Every connector there is, by importing every module beside this one."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(sorted({*_registered, *_elsewhere()}))


def build(name: str, configuration: Configuration) -> Connector:
    if name not in _registered:
        known = names()
        if name not in _registered and name in known:
            _load(_elsewhere()[name])
    if name not in _registered:
        raise Misconfigured(
            f"there is no connector {name!r}; there are: {', '.join(sorted(_registered))}"
        )
    return _registered[name](configuration)


@cache
def _elsewhere() -> dict[str, EntryPoint]:
    """Connectors that other installed packages bring."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _load(entry: EntryPoint) -> None:
    package = entry.dist.name if entry.dist is not None else entry.value
    try:
        entry.load()
    except Exception as error:  # whatever another's module does when it is read
        raise Misconfigured(f"{package} brings {entry.name!r}, but: {error}") from error
    if entry.name not in _registered:
        raise Misconfigured(f"{package} says that it brings {entry.name!r}, and registers none")


def need(configuration: Configuration, key: str, *, of: str) -> str:
    """A configuration value that must be there."""
    value = configuration.get(key, "").strip()
    if not value:
        raise Misconfigured(f"{of} needs {key!r}: set it in the profile or the environment")
    return value


def patience(configuration: Configuration, *, of: str) -> urllib3.Timeout | None:
    """For how long a system may keep silent, where its `timeout` says so (seconds, 1 to 120)."""
    said = configuration.get("timeout", "").strip()
    if not said:
        return None
    if (
        not said.isascii()
        or not said.isdigit()
        or not 1 <= int(said) <= http.LONGEST_ANSWER_SECONDS
    ):
        raise Misconfigured(f"{of} needs 'timeout' to be seconds, from 1 to 120")
    return urllib3.Timeout(connect=http.TIMEOUT.connect_timeout, read=float(said))
