"""A profile is not put in force where it would have us call what only we can reach.

What its addresses mean may change later: they are judged anew whenever one is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.outbound.webhooks.guard import AddressRefused, Guard
from domain.errors import DomainError
from domain.policy import Profile
from services.ports import Unavailable

CALLED = frozenset({"webhook", "opendsr"})
"""The connectors whose systems are called at an address that the profile or their owner gave."""


class Admission:
    """Keeps `services.controllers.Admit`."""

    def __init__(self, guard: Guard, secrets: Callable[[str, str], Mapping[str, str]]) -> None:
        self._guard, self._secrets = guard, secrets

    def __call__(self, profile: Profile) -> None:
        for system in profile.systems:
            if system.connector not in CALLED:
                continue
            url = {**system.options, **self._secrets(profile.id, system.id)}.get("url", "").strip()
            if not url:  # said when it is called: a secret may be given later
                continue
            try:
                self._guard.target(url)
            except AddressRefused as error:
                raise DomainError(f"system {system.id!r} cannot be called: {error}") from None
            except Unavailable:  # its host may not be there yet
                continue
