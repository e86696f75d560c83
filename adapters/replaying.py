"""Wires what repeats erasures in restored systems (design, section 7)."""

from __future__ import annotations

from typing import Protocol

from adapters.outbound.database import Database
from adapters.outbound.erasure_ledger import PostgresErasureLedger
from services.controllers import Controllers
from services.held import Held
from services.instructing import Instructions
from services.ports import Clock, Systems, Tasks, Vault
from services.register import Register
from services.replaying import Replays as Replays
from services.system_tokens import SystemTokens


class Parts(Protocol):
    """What of an installation it takes."""

    @property
    def register(self) -> Register: ...

    @property
    def vault(self) -> Vault: ...

    @property
    def tasks(self) -> Tasks: ...

    @property
    def controllers(self) -> Controllers: ...

    @property
    def held(self) -> Held: ...

    @property
    def instructions(self) -> Instructions: ...

    @property
    def database(self) -> Database: ...

    @property
    def system_keys(self) -> SystemTokens: ...

    @property
    def systems(self) -> Systems: ...

    @property
    def clock(self) -> Clock: ...


def replays_of(installation: Parts) -> Replays:
    return Replays(
        installation.register,
        installation.vault,
        installation.tasks,
        installation.controllers,
        installation.held,
        installation.instructions,
        PostgresErasureLedger(installation.database),
        installation.system_keys,
        installation.systems,
        installation.clock,
    )
