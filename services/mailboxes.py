"""Mailboxes: whose an address is, among the controllers of this installation.

A controller gets mail where its profile says that people reach it or its officer, and at the
address that its letters come from, because replies and reports of failure go there.
"""

from __future__ import annotations

from domain.policy import ChannelKind, Profile
from services.controllers import Controllers
from services.postroom import sender_of

OFFICIAL = frozenset({ChannelKind.EMAIL, ChannelKind.OFFICER_EMAIL})


class Mailboxes:
    def __init__(self, controllers: Controllers) -> None:
        self._controllers = controllers

    def names(self) -> tuple[str, ...]:
        return self._controllers.names()

    def owner(self, address: str) -> str | None:
        """The controller that an address belongs to; None when it is nobody's here."""
        wanted = plain(address)
        for name in self._controllers.names():
            if wanted in addresses_of(self._controllers.in_force(name)):
                return name
        return None

    def only_one(self) -> str | None:
        """The controller of an installation that has no other."""
        names = self._controllers.names()
        return names[0] if len(names) == 1 else None


def addresses_of(profile: Profile) -> frozenset[str]:
    """Every address at which a controller gets mail."""
    said = [one.address for one in profile.channels if one.kind in OFFICIAL]
    return frozenset(plain(one) for one in [*said, sender_of(profile)] if "@" in one)


def plain(address: str) -> str:
    """An address as it is compared: no name, no detail after a plus sign, small letters."""
    inner = address.rpartition("<")[2].rstrip(">").strip().casefold()
    local, at, domain = inner.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
