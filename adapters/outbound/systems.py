"""Which connector serves which system of which controller, built once from profile and secrets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock

from adapters.outbound.connectors import Misconfigured, build
from domain.errors import DomainError
from domain.policy import System
from services.controllers import Controllers
from services.ports import Connector, NotSetUp, Refused

AT_ONCE = "at_once"
MOST_AT_ONCE = 16
"""As many connections as one client of ours opens."""
LOOK_AGAIN_SECONDS = 10.0

Secrets = Callable[[str, str], Mapping[str, str]]


class ConfiguredSystems:
    """Keeps `services.worker.Systems`."""

    def __init__(self, controllers: Controllers, secrets: Secrets, exports: Path) -> None:
        self._controllers, self._secrets, self._exports = controllers, secrets, exports
        self._built: dict[tuple[str, str, str], Connector] = {}
        self._bounds: Mapping[str, int] = {}
        self._look_again_at = 0.0
        self._lock, self._looking = Lock(), Lock()

    def connector(self, controller: str, system: str) -> Connector:
        """The connector of a system; `NotSetUp` when its configuration is not complete."""
        profile = self._controllers.in_force(controller)
        known = next((one for one in profile.systems if one.id == system), None)
        if known is None:
            raise Refused(f"the profile in force has no system {system!r} any more")
        place = (controller, system, profile.digest)
        with self._lock:
            if place not in self._built:
                configuration = self._configuration(controller, known)
                try:
                    _at_once(system, configuration.pop(AT_ONCE, None))
                    self._built[place] = build(known.connector, configuration)
                except Misconfigured as error:
                    raise NotSetUp(str(error)) from error
                except ValueError:  # whose words may quote a secret
                    raise NotSetUp(f"{system}'s address or another setting is wrong") from None
            return self._built[place]

    def at_once(self) -> Mapping[str, int]:
        """How many tasks of a system may be in hand, by lane, where profile or environment say."""
        with self._looking:
            if time.monotonic() >= self._look_again_at:
                self._bounds = dict(self._said())
                self._look_again_at = time.monotonic() + LOOK_AGAIN_SECONDS
            return self._bounds

    def _said(self) -> Iterator[tuple[str, int]]:
        for controller in self._controllers.names():
            try:
                systems = self._controllers.in_force(controller).systems
            except (DomainError, ValueError):  # no profile in force, or none that can be read
                continue
            for system in systems:
                said = self._configuration(controller, system).get(AT_ONCE)
                try:
                    bound = _at_once(system.id, said)
                except Misconfigured:  # said when the system is asked
                    continue
                if bound is not None:
                    yield f"{controller}/{system.id}", bound

    def _configuration(self, controller: str, system: System) -> dict[str, str]:
        return {
            "folder": str(self._exports / controller / system.id),
            **system.options,
            **self._secrets(controller, system.id),
        }


def _at_once(system: str, said: str | None) -> int | None:
    if said is None:
        return None
    if not said.isascii() or not said.isdigit() or not 1 <= int(said) <= MOST_AT_ONCE:
        raise Misconfigured(f"{system} needs {AT_ONCE!r} to be a number from 1 to {MOST_AT_ONCE}")
    return int(said)
