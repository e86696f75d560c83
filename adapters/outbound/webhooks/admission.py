"""A profile is not put in force where it would have us call what only we can reach.

What its addresses mean may change later: they are judged anew whenever one is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import structlog

from adapters.outbound.webhooks.guard import AddressRefused, Guard
from domain.errors import DomainError
from domain.policy import Profile
from services.controllers import Controllers
from services.ports import Unavailable

CALLED = frozenset({"webhook", "opendsr"})
"""The connectors whose systems are called at an address that the profile or their owner gave."""

log = structlog.get_logger()


class Admission:
    """Keeps `services.controllers.Admit`."""

    def __init__(self, guard: Guard, secrets: Callable[[str, str], Mapping[str, str]]) -> None:
        self.guard, self._secrets = guard, secrets
        self._left_out: dict[str, tuple[str, ...]] = {}

    def __call__(self, profile: Profile) -> None:
        """Whoever puts a profile in force by hand is told, and nothing changes."""
        for fault in self.faults(profile):
            raise DomainError(fault)

    def leave_out(self, profile: Profile) -> None:
        """At a start nobody is there to be told: one system's address does not stop the others.

        Nothing is sent to it, because the address is refused whenever it is to be called.
        """
        faults = tuple(self.faults(profile))
        if faults:
            said = tuple(f"{profile.id}: {fault}; it is told nothing" for fault in faults)
            self._left_out[profile.digest] = said
        for fault in faults:
            log.warning("system_left_out", controller=profile.id, reason=fault)

    def warnings(self, controllers: Controllers) -> list[str]:
        """What was left out when this process began, of profiles that are still in force."""
        names = controllers.names() if self._left_out else ()
        return [
            line
            for name in names
            for line in self._left_out.get(controllers.in_force(name).digest, ())
        ]

    def faults(self, profile: Profile) -> Iterator[str]:
        """Which systems cannot be called, and why; an address is never quoted."""
        for system in profile.systems:
            if system.connector not in CALLED:
                continue
            url = {**system.options, **self._secrets(profile.id, system.id)}.get("url", "").strip()
            if not url:  # said when it is called: a secret may be given later
                continue
            try:
                self.guard.target(url)
            except AddressRefused as error:
                yield f"system {system.id!r} cannot be called: {error}"
            except Unavailable:  # its host may not be there yet
                continue
