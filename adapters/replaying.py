"""Wires what repeats erasures in restored systems (design, section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.outbound.erasure_ledger import PostgresErasureLedger
from services.replaying import Replays

if TYPE_CHECKING:
    from adapters.bootstrap import Installation


def replays_of(installation: Installation) -> Replays:
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
