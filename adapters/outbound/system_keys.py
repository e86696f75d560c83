"""Token keys of connected systems: derived, never stored, in versions that overlap (RFC 5869).

The vault's secret makes them, so a new master key changes none; what one system is given tells
nothing about another's.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from adapters.outbound.database import Database
from adapters.outbound.vault import normalised
from domain.vocabulary import Country
from services.ports import Identifier
from services.system_tokens import TOLD_BY, Token

BOTH_FOR = timedelta(days=30)
"""So long after a rotation messages carry tokens of both versions: a system re-computes its own."""


@dataclass(frozen=True, slots=True)
class SystemKey:
    """One version of a system's key, as its owner needs it."""

    version: int
    key: bytes


class SystemKeys:
    """Keeps `services.system_tokens.SystemTokens`."""

    def __init__(
        self,
        database: Database,
        key_for: Callable[[str], bytes],
        countries: Mapping[str, Country],
    ) -> None:
        """`countries` says per controller how a phone number without country code is meant."""
        self._database, self._key_for, self._countries = database, key_for, countries

    def of(
        self, controller: str, system: str, identifiers: Iterable[Identifier]
    ) -> tuple[Token, ...]:
        versions = [key.version for key in self.in_use(controller, system)]
        return tuple(
            dict.fromkeys(
                made
                for one in identifiers
                for made in self.under(controller, system, one, versions)
            )
        )

    def under(
        self, controller: str, system: str, identifier: Identifier, versions: Iterable[int]
    ) -> tuple[Token, ...]:
        if identifier.kind not in TOLD_BY or not identifier.value.strip():
            return ()
        country = self._countries.get(controller, Country.NO)
        keys = ((one, self._key(controller, system, one)) for one in versions)
        return tuple(
            Token(identifier.kind, version, token(key, identifier, country))
            for version, key in keys
        )

    def current(self, controller: str, system: str) -> SystemKey:
        return self.in_use(controller, system)[-1]

    def in_use(self, controller: str, system: str) -> tuple[SystemKey, ...]:
        """The versions whose tokens messages carry, the newest last."""
        rows = self._database.ask(
            "SELECT version FROM trettio.system_keys WHERE controller = %s AND system = %s"
            " AND (until IS NULL OR until > clock_timestamp()) ORDER BY version",
            [controller, system],
        )
        versions = [version for (version,) in rows] or [1]
        return tuple(SystemKey(one, self._key(controller, system, one)) for one in versions)

    def rotate(self, controller: str, system: str) -> SystemKey:
        """Begin another version; the one in use until now goes on for a while."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO trettio.system_keys (controller, system, version)"
                " VALUES (%s, %s, 1) ON CONFLICT DO NOTHING",
                [controller, system],
            )
            connection.execute(
                "SELECT 1 FROM trettio.system_keys WHERE controller = %s AND system = %s"
                " AND version = 1 FOR UPDATE",
                [controller, system],
            )
            connection.execute(
                "UPDATE trettio.system_keys SET until = clock_timestamp() + %s"
                " WHERE controller = %s AND system = %s AND until IS NULL",
                [BOTH_FOR, controller, system],
            )
            connection.execute(
                "INSERT INTO trettio.system_keys (controller, system, version)"
                " SELECT %s, %s, max(version) + 1 FROM trettio.system_keys"
                " WHERE controller = %s AND system = %s",
                [controller, system, controller, system],
            )
        return self.current(controller, system)

    def _key(self, controller: str, system: str, version: int) -> bytes:
        return self._key_for(f"system tokens/{controller}\n{system}\n{version}")


def token(key: bytes, identifier: Identifier, country: Country) -> str:
    """HMAC-SHA-256 over kind and one spelling, in hexadecimal: what a system computes itself."""
    text = f"{identifier.kind.value}:{normalised(identifier, country)}"
    return hmac.digest(key, text.encode(), "sha256").hex()
