"""Which connector serves which system of which controller, built once from profile and secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from adapters.outbound.connectors import Misconfigured, build
from services.controllers import Controllers
from services.ports import Connector, Refused

Secrets = Callable[[str, str], Mapping[str, str]]


class ConfiguredSystems:
    """Keeps `services.worker.Systems`."""

    def __init__(self, controllers: Controllers, secrets: Secrets, exports: Path) -> None:
        self._controllers, self._secrets, self._exports = controllers, secrets, exports
        self._built: dict[tuple[str, str, str], Connector] = {}
        self._lock = Lock()

    def connector(self, controller: str, system: str) -> Connector:
        """The connector of a system; `Refused` when its configuration is not complete."""
        profile = self._controllers.in_force(controller)
        known = next((one for one in profile.systems if one.id == system), None)
        if known is None:
            raise Refused(f"the profile in force has no system {system!r} any more")
        place = (controller, system, profile.digest)
        with self._lock:
            if place not in self._built:
                configuration = {
                    "folder": str(self._exports / controller / system),
                    **known.options,
                    **self._secrets(controller, system),
                }
                try:
                    self._built[place] = build(known.connector, configuration)
                except Misconfigured as error:
                    raise Refused(str(error)) from error
            return self._built[place]
